// The Trainer room.
