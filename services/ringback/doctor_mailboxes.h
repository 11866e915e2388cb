// The part of `ringback doctor` that knocks at the mailboxes which answers are fetched from.
#pragma once

#include <vector>

#include "core/runtime/config.h"
#include "ringback/doctor.h"

namespace ringback {

// One finding per mailbox: login, certificate and folders, tried as the server would. One when the file cannot be used;
// none without a file.
std::vector<Finding> ExamineMailboxes(const runtime::Config& config);

}  // namespace ringback
