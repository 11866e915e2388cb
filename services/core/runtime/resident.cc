#include "core/runtime/resident.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace ringback::runtime {

void GiveBackStartUpMemory() {
  malloc_trim(0);
  // A head line per mapping ("start-end perms offset device inode path"), then its figures, "Anonymous:" among them
  // (proc(5)).
  std::ifstream maps("/proc/self/smaps");
  uintptr_t begin = 0, end = 0;
  bool clean = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t from = 0, to = 0;
    char permissions[5] = "";
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, permissions) == 3) {
      begin = from;
      end = to;
      clean = permissions[1] == '-' && line.find(" /") != std::string::npos;
    } else if (clean && std::strncmp(line.c_str(), "Anonymous:", 10) == 0) {
      // Only what is the file's own content unchanged: pages that the loader has written to (RELRO) would be lost.
      if (std::strtoull(line.c_str() + 10, nullptr, 10) == 0) {
        madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
      }
      clean = false;
    }
  }
}

}  // namespace ringback::runtime
