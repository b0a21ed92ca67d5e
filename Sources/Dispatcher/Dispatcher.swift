// The Dispatcher room.
