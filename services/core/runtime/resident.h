// The resident memory of a program that has started: most of it is what only starting needed.
#pragma once

namespace ringback::runtime {

// Gives back what the heap keeps free, and the pages of program and libraries that loading touched (symbol tables,
// relocations, one-time set-up). What is used again comes back from the page cache, without a disk. Linux only; harmless
// elsewhere. Call once, when everything has started.
void GiveBackStartUpMemory();

}  // namespace ringback::runtime
