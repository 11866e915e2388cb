// RB_CHECK: a condition whose failure is a bug in ringback, never bad input. Says where, then aborts.
#pragma once

#include <cstdio>
#include <cstdlib>

#define RB_CHECK(condition)                                                                   \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);      \
      std::abort();                                                                           \
    }                                                                                         \
  } while (false)
