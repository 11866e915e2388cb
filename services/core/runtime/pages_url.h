// Where the team's people reach the pages, as far as the configuration tells.
#pragma once

#include <string>

#include "core/runtime/config.h"

namespace ringback::runtime {

// "https://ringback.example.com", without a slash behind: public_url where one listener carries everything, else the
// address of http_listen, when that names a host. "" when there is no page, or its listener waits on every interface and
// so names none.
std::string StaffUrl(const Config& config);

}  // namespace ringback::runtime
