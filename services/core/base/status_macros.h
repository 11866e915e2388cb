// Early returns for absl::Status. Nothing else lives here.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RB_CONCAT_INNER_(a, b) a##b
#define RB_CONCAT_(a, b) RB_CONCAT_INNER_(a, b)

// Returns from the enclosing function when `expr` is not OK.
#define RB_RETURN_IF_ERROR(expr)                          \
  do {                                                    \
    if (absl::Status rb_status_ = (expr); !rb_status_.ok()) return rb_status_; \
  } while (false)

// `lhs = value of expr`, or returns its error: RB_ASSIGN_OR_RETURN(auto record, store.Get(key));
#define RB_ASSIGN_OR_RETURN(lhs, expr) RB_ASSIGN_OR_RETURN_IMPL_(RB_CONCAT_(rb_or_, __LINE__), lhs, expr)
#define RB_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                              \
  if (!tmp.ok()) return std::move(tmp).status();  \
  lhs = *std::move(tmp)
