"""Writes the demo's training data: sentences put together from parts that we wrote, so that the
files are small, free of anybody's rights, and the same every time. Run it in this folder."""

import itertools, json, random

rng = random.Random(20)


def write(name, rows, dev_share=0.15):
    rng.shuffle(rows)
    cut = int(len(rows) * dev_share)
    for part, chosen in (("dev", rows[:cut]), ("train", rows[cut:])):
        with open(f"{name}.{part}.jsonl", "w") as f:
            for row in chosen:
                f.write(json.dumps(row) + "\n")
    print(name, len(rows))


def pick(pattern, slots, count):
    """`count` different fillings of a pattern's {slots}."""
    names = [n for n in slots if "{" + n + "}" in pattern]
    every = list(itertools.product(*(slots[n] for n in names)))
    rng.shuffle(every)
    return [pattern.format(**dict(zip(names, values))) for values in every[:count]]


# 1. classify: what a customer of a shop wants.
item = ["headphones", "coffee machine", "winter jacket", "desk lamp", "running shoes", "tablet",
        "rucksack", "kettle", "bike helmet", "monitor"]
day = ["on Monday", "last week", "two days ago", "yesterday", "at the weekend", "in March"]
support = {
    "refund": ["I would like my money back for the {item}.", "Please refund the {item} I bought {day}.",
               "How do I return the {item} and get reimbursed?", "The {item} broke, I want a refund.",
               "I was charged twice for the {item}, please pay one back.",
               "Can I send the {item} back for the full price?"],
    "delivery": ["Where is the {item} that I ordered {day}?", "My parcel with the {item} has not arrived.",
                 "The tracking page says the {item} is still in the depot.", "When will the {item} be delivered?",
                 "The courier left the {item} at the wrong address {day}.",
                 "Can you ship the {item} to my office instead?",
                 "I am still waiting for the {item}, it was due {day}.",
                 "No sign of the {item} yet, what happened to it?",
                 "The {item} was promised for {day} and never came.",
                 "Still nothing in my letter box, how much longer will it take?",
                 "I have waited a fortnight and my order is still not here.",
                 "What is taking the {item} so long?", "Has the {item} been sent at all?"],
    "account": ["I cannot log in to my account since {day}.", "Please change the email address of my profile.",
                "How do I reset my password?", "I want to delete my account and all my data.",
                "Someone else has used my login {day}.", "Update the card that is stored in my account."],
    "technical": ["The {item} does not switch on any more.", "My {item} shows an error since {day}.",
                  "The app crashes whenever I pair the {item}.", "How do I update the firmware of the {item}?",
                  "The {item} makes a strange noise.", "The {item} stopped working {day}.",
                  "The screen stays dark when I charge it.", "It restarts by itself again and again.",
                  "One button of the {item} does nothing."],
    "praise": ["I love the {item}, thank you!", "Great service, the {item} is wonderful.",
               "Your team was so kind when I called {day}.", "Best {item} I have ever had.",
               "Just wanted to say that the {item} is perfect.", "Five stars for the quick help {day}."],
}
write("support", [{"text": t, "label": label} for label, patterns in support.items()
                  for p in patterns for t in pick(p, {"item": item, "day": day}, 8)])

# 2. classify, another label set: the mood of a review.
thing = ["film", "book", "restaurant", "hotel", "concert", "game", "series", "play"]
mood = {
    "positive": ["A wonderful {thing}, I enjoyed every minute.", "The {thing} was better than I had hoped.",
                 "I would recommend this {thing} to everyone.", "What a delightful {thing}!",
                 "The best {thing} of the year, warm and clever.", "I smiled all the way through the {thing}.",
                 "I did not want the {thing} to end.", "The {thing} could have gone on all night.",
                 "Already I want to go back to that {thing}.", "Moving, funny and never dull."],
    "negative": ["A dreadful {thing}, I want my evening back.", "The {thing} was boring and far too long.",
                 "I would not recommend this {thing} to anyone.", "What a disappointing {thing}.",
                 "The worst {thing} of the year, cold and lazy.", "I nearly fell asleep during the {thing}.",
                 "I could hardly wait for the {thing} to end.", "The {thing} went on and on, and nothing happened.",
                 "Never again will I go to that {thing}.", "Clumsy, loud and without an idea."],
    "neutral": ["The {thing} was all right, nothing special.", "An average {thing}, neither good nor bad.",
                "The {thing} opens in May and lasts two hours.", "Some will like this {thing}, some will not.",
                "It is a {thing} like many others.", "The {thing} does what it says, no more.",
                "The {thing} is on again next week.", "Parts of the {thing} work, others do not."],
}
write("mood", [{"text": t, "label": label} for label, patterns in mood.items()
               for p in patterns for t in pick(p, {"thing": thing}, 8)])

# 3. multilabel: the topics of a headline, none or several.
clauses = {
    "sport": ["the striker signs for a new club", "the champion wins the final", "the coach praises the young team",
              "the marathon draws a record crowd", "the goalkeeper saves two penalties"],
    "money": ["shares fall on the stock market", "the bank raises interest rates", "the company reports higher profits",
              "inflation slows in spring", "investors sell their bonds"],
    "health": ["doctors warn of a flu wave", "a new vaccine protects children", "the hospital opens a cancer ward",
               "patients wait longer for surgery", "nurses ask for shorter shifts"],
    "technology": ["a start-up shows a faster chip", "the new phone lasts three days", "engineers test a delivery robot",
                   "a software update closes a security hole", "the satellite sends its first pictures"],
    "politics": ["the parliament votes on the budget", "the minister resigns after the debate",
                 "voters choose a new president", "the senate passes a climate law", "the mayor faces protests"],
}
headlines = []
for topic, texts in clauses.items():
    for text in texts:
        headlines.append({"text": text.capitalize() + ".", "labels": [topic]})
for a, b in itertools.combinations(clauses, 2):
    for _ in range(14):
        first, second = rng.choice(clauses[a]), rng.choice(clauses[b])
        if rng.random() < 0.5:
            first, second = second, first
        joint = rng.choice([" while ", ", and ", " as ", "; "])
        headlines.append({"text": (first + joint + second).capitalize() + ".", "labels": sorted([a, b])})
for text in ["It rains in the morning", "The museum closes on Mondays", "A cat sleeps on the roof",
             "The bakery sells fresh bread", "Children sing in the square", "The library moves next door",
             "Roses bloom in the garden", "The old bridge is painted green"]:
    headlines.append({"text": text + ".", "labels": []})
seen = {}
for row in headlines:
    seen[row["text"]] = row
write("topics", list(seen.values()))

# 4. tag: places, dates and airlines in a traveller's request.
city = ["Lisbon", "Oslo", "New York", "Tokyo", "Rio de Janeiro", "Cape Town", "Madrid", "Hong Kong", "Vienna", "Cairo"]
when = ["tomorrow", "next Friday", "on 3 May", "on Tuesday morning", "in two weeks", "tonight", "on 12 August"]
airline = ["Blue Wing", "Nordic Air", "Sunline", "Air Pacific", "Golden Eagle"]
patterns = ["book a flight from {city} to {city} {date}", "I need a ticket to {city} with {airline} {date}",
            "does {airline} fly from {city} to {city} ?", "show me the cheapest trip to {city} {date}",
            "we leave {city} {date} and come back {date}", "is there a night train between {city} and {city} {date} ?",
            "cancel my {airline} flight to {city}", "what is the weather in {city} {date} ?",
            "find a hotel in {city} for two nights {date}", "please call me back {date}"]
rows = []
for pattern in patterns:
    for _ in range(22):
        tokens, tags = [], []
        for word in pattern.split():
            slot = word.strip("{}") if word.startswith("{") else None
            if slot is None:
                tokens.append(word)
                tags.append("O")
                continue
            value = rng.choice({"city": city, "date": when, "airline": airline}[slot]).split()
            if slot == "date" and value[0] in ("on", "in"):
                tokens.append(value.pop(0))
                tags.append("O")
            tokens += value
            tags += ["B-" + slot] + ["I-" + slot] * (len(value) - 1)
        rows.append({"tokens": tokens, "tags": tags})
unique = {" ".join(r["tokens"]): r for r in rows}
write("travel", list(unique.values()))

# 5. score: how well does the second text answer the first, 0 to 1.
answers = {
    "How do I reset my password?": "Open the login page and choose \"forgot password\"; we send you a link.",
    "When does the shop open?": "We are open from nine to six, Monday to Saturday.",
    "Where can I park my car?": "There is a free car park behind the building.",
    "Do you ship to Norway?": "Yes, we deliver to all countries of Europe within a week.",
    "How much does the express delivery cost?": "Express shipping costs nine euros.",
    "Can I pay by invoice?": "Invoices are offered to companies; private customers pay by card.",
    "Is the jacket waterproof?": "The jacket keeps you dry in heavy rain.",
    "How long is the guarantee?": "All devices come with a two year warranty.",
    "Can I change my order?": "You can edit an order until it leaves our warehouse.",
    "Which sizes do you have?": "The shoes are made in sizes 36 to 47.",
    "How do I clean the coffee machine?": "Run a cycle with water and vinegar once a month.",
    "Who do I call in an emergency?": "Dial the red number on the back of your card, day and night.",
    "Is breakfast included?": "Every room comes with a buffet breakfast.",
    "May I bring my dog?": "Pets are welcome for a small extra fee.",
    "How far is the beach?": "The sea is a five minute walk from the hotel.",
    "Do you have vegetarian food?": "Half of the dishes on our menu are made without meat.",
}
partly = {
    "How do I reset my password?": "Passwords need at least eight characters.",
    "When does the shop open?": "The shop is in the old town.",
    "Where can I park my car?": "Cars are not allowed in the old town.",
    "Do you ship to Norway?": "Parcels are sent every morning.",
    "How much does the express delivery cost?": "Express parcels arrive the next day.",
    "Can I pay by invoice?": "Payment is due when you order.",
    "Is the jacket waterproof?": "The jacket is made of recycled nylon.",
    "How long is the guarantee?": "Keep the receipt for the guarantee.",
    "Can I change my order?": "Your order has a number that starts with V.",
    "Which sizes do you have?": "Our shoes run a little small.",
    "How do I clean the coffee machine?": "The coffee machine holds two litres of water.",
    "Who do I call in an emergency?": "Emergencies are rare in our mountains.",
    "Is breakfast included?": "Breakfast is served from seven to ten.",
    "May I bring my dog?": "Our neighbour has two dogs.",
    "How far is the beach?": "The beach is long and sandy.",
    "Do you have vegetarian food?": "The kitchen closes at ten.",
}
rewordings = ["{q}", "Please tell me: {l}", "Hello, {l}", "Quick question. {q}"]
pairs = []
questions = list(answers)
for q in questions:
    others = [o for o in questions if o != q]
    for form in rewordings:
        asked = form.format(q=q, l=q[0].lower() + q[1:])
        pairs.append({"text": asked, "text_pair": answers[q], "score": 1.0})
        pairs.append({"text": asked, "text_pair": partly[q], "score": 0.5})
        for o in rng.sample(others, 2):
            pairs.append({"text": asked, "text_pair": answers[o], "score": 0.0})
write("answers", pairs)

# Plain text for the PLOT: every sentence above, once, in a steady order.
texts = set()
for name in ("support", "mood", "topics", "travel", "answers"):
    for part in ("train", "dev"):
        for line in open(f"{name}.{part}.jsonl"):
            row = json.loads(line)
            texts.update(row[k] for k in ("text", "text_pair") if k in row)
            if "tokens" in row:
                texts.add(" ".join(row["tokens"]))
with open("corpus.txt", "w") as f:
    f.write("\n".join(sorted(texts)) + "\n")
