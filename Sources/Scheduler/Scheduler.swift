// The Scheduler room.
