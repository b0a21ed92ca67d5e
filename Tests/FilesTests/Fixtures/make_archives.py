"""Makes the archives beside this file with Python's own gzip and zipfile."""

import gzip
import pathlib
import zipfile

HERE = pathlib.Path(__file__).parent
LINES = "".join(f"line {i} " + "é" * (i % 7) + "\n" for i in range(1, 1001)).encode()

# Two members, the first ending inside a line, and zeros behind them.
(HERE / "lines.txt.gz").write_bytes(
    gzip.compress(LINES[:5000], mtime=0) + gzip.compress(LINES[5000:], mtime=0) + bytes(512)
)

stamp = (1980, 1, 1, 0, 0, 0)
with zipfile.ZipFile(HERE / "small.zip", "w") as archive:
    archive.writestr(zipfile.ZipInfo("folder/", stamp), "")
    archive.writestr(zipfile.ZipInfo("folder/stored.txt", stamp), "stored\n")
    deflated = zipfile.ZipInfo("folder/deflated.txt", stamp)
    deflated.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(deflated, LINES)
    archive.writestr(zipfile.ZipInfo("empty", stamp), "")
    archive.writestr(zipfile.ZipInfo("é.txt", stamp), "name")
    archive.comment = b"a comment"

# Sizes after the data, as a stream writes them.
with open(HERE / "streamed.zip", "wb") as raw:

    class Stream:
        def write(self, data):
            return raw.write(data)

        def flush(self):
            raw.flush()

    with zipfile.ZipFile(Stream(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.txt", stamp), LINES[:100])
        deflated = zipfile.ZipInfo("b.txt", stamp)
        deflated.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(deflated, LINES[:2000])
