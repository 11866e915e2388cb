// Shows that ThreadSanitizer is told of absl::Mutex, and of no more than that: two threads count under one lock
// ("shared") or each under its own ("own"), which is a race that has to be found.
#include <string_view>
#include <thread>

#include "absl/synchronization/mutex.h"

int main(int argc, char** argv) {
  const bool shared = argc == 2 && std::string_view(argv[1]) == "shared";
  absl::Mutex one, other;
  int count = 0;
  const auto add = [&count](absl::Mutex* mutex) {
    for (int i = 0; i < 10000; ++i) {
      mutex->Lock();
      ++count;
      mutex->Unlock();
    }
  };
  std::thread first(add, &one), second(add, shared ? &one : &other);
  first.join();
  second.join();
  return count == 20000 || !shared ? 0 : 1;
}
