// The Manager room.
