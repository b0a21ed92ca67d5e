"""OpenAI's client where it takes its time: files, fine-tunings, batches."""

import io
import json
import time

import openai
from world import TEXTS, cell, near, refused

BASE = "`base_url` URL/v1, a key with the scope train"


def client(world):
    return openai.OpenAI(base_url=f"{world.url}/v1", api_key=world.trainer)


def wait(ask, *ends):
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = ask()
        if found.status in ends:
            return found
        time.sleep(0.2)
    raise AssertionError(f"still {found.status}")


def lines(rows):
    return io.BytesIO("\n".join(json.dumps(row) for row in rows).encode())


def upload(asking, rows, purpose):
    return asking.files.create(file=("rows.jsonl", lines(rows)), purpose=purpose)


@cell("openai", "files.create, list, retrieve, content, delete", BASE)
def files(world):
    asking = client(world)
    rows = [{"text": text, "label": "ab"[i % 2]} for i, text in enumerate(TEXTS * 4)]
    made = upload(asking, rows, "fine-tune")
    assert made.purpose == "fine-tune" and made.status == "processed" and made.filename == "rows.jsonl"
    assert made.id in [file.id for file in asking.files.list()]
    assert asking.files.retrieve(made.id).bytes == made.bytes
    assert asking.files.content(made.id).read() == lines(rows).read()
    assert asking.files.delete(made.id).deleted
    refused(lambda: asking.files.retrieve(made.id), made.id)


@cell("openai", "fine_tuning.jobs.create, retrieve, list, list_events, checkpoints.list", BASE)
def jobs(world):
    asking = client(world)
    chats = [
        {"messages": [{"role": "user", "content": f"{word} {noun} {verb}"}, {"role": "assistant", "content": label}]}
        for word, label in [("warm", "heat"), ("red", "heat"), ("cold", "frost"), ("blue", "frost")]
        for noun in ["cat", "dog", "bird"] for verb in ["runs", "sleeps", "sings"]]
    file = upload(asking, chats, "fine-tune")
    job = asking.fine_tuning.jobs.create(model=world.base, training_file=file.id, suffix="leaver", seed=3)
    done = wait(lambda: asking.fine_tuning.jobs.retrieve(job.id), "succeeded", "failed", "cancelled")
    assert done.status == "succeeded" and done.fine_tuned_model == "leaver", done
    assert job.id in [one.id for one in asking.fine_tuning.jobs.list()]
    assert len(list(asking.fine_tuning.jobs.list_events(job.id, limit=2))) > 2
    assert len(list(asking.fine_tuning.jobs.checkpoints.list(job.id))) == 1
    world.post("/predict", {"model": "leaver", "inputs": "a warm bird sings"})


@cell("openai", "fine_tuning.jobs.pause, resume, cancel", BASE)
def changes(world):
    asking = client(world)
    file = upload(asking, [{"text": text, "label": "ab"[i % 2]} for i, text in enumerate(TEXTS * 200)], "fine-tune")
    job = asking.fine_tuning.jobs.create(
        model=world.base, training_file=file.id, suffix="waits",
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 200}}})
    asking.fine_tuning.jobs.pause(job.id)
    wait(lambda: asking.fine_tuning.jobs.retrieve(job.id), "paused")
    asking.fine_tuning.jobs.resume(job.id)
    wait(lambda: asking.fine_tuning.jobs.retrieve(job.id), "queued", "running")
    asking.fine_tuning.jobs.cancel(job.id)
    wait(lambda: asking.fine_tuning.jobs.retrieve(job.id), "cancelled")


@cell("openai", "batches.create, retrieve, list, /v1/embeddings", BASE)
def batches(world):
    asking = client(world)
    rows = [
        {"custom_id": f"r{i}", "method": "POST", "url": "/v1/embeddings",
         "body": {"model": "embedder" if i != 5 else "nobody", "input": TEXTS[i % 3]}} for i in range(40)]
    file = upload(asking, rows, "batch")
    batch = asking.batches.create(
        input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h", metadata={"Mine": "1"})
    done = wait(lambda: asking.batches.retrieve(batch.id), "completed", "failed", "expired")
    assert done.status == "completed" and done.metadata == {"Mine": "1"}, done
    assert (done.request_counts.completed, done.request_counts.failed, done.request_counts.total) == (39, 1, 40)
    answers = [json.loads(line) for line in asking.files.content(done.output_file_id).text.splitlines()]
    for answer in answers:
        body = answer["response"]["body"]
        near(body["data"][0]["embedding"], world.vectors[int(answer["custom_id"][1:]) % 3])
    [bad] = [json.loads(line) for line in asking.files.content(done.error_file_id).text.splitlines()]
    assert bad["custom_id"] == "r5" and bad["response"]["status_code"] == 404
    assert batch.id in [one.id for one in asking.batches.list()]


@cell("openai", "batches.cancel", BASE)
def cancelled(world):
    asking = client(world)
    rows = [
        {"custom_id": f"r{i}", "method": "POST", "url": "/v1/embeddings",
         "body": {"model": "embedder", "input": TEXTS}} for i in range(20_000)]
    batch = asking.batches.create(
        input_file_id=upload(asking, rows, "batch").id, endpoint="/v1/embeddings", completion_window="24h")
    asking.batches.cancel(batch.id)
    wait(lambda: asking.batches.retrieve(batch.id), "cancelled")
