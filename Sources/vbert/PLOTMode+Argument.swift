import ArgumentParser
import Manager

extension PLOTMode: ExpressibleByArgument {}
