// The part of `ringback doctor` that needs no store and no network: whether what the configuration names is there.
#pragma once

#include <vector>

#include "core/base/clock.h"
#include "core/runtime/config.h"
#include "ringback/doctor.h"

namespace ringback {

// The data directory: there, or to be made; the owner's only.
Finding ExamineDataDir(const runtime::Config& config);
// One finding for each secret file that is named and cannot be used; one for all when there are some and all can.
std::vector<Finding> ExamineSecrets(const runtime::Config& config);
// Whether the key that sipgate's requests are to be signed with can be read and is one. Empty while none is named.
std::vector<Finding> ExamineSipgateKey(const runtime::Config& config);
// Certificate and key fit, and how long the certificate holds. Nothing without TLS beyond loopback is a warning: tokens
// travel in clear.
Finding ExamineTls(const runtime::Config& config, Clock* clock);     // gRPC's
Finding ExamineWebTls(const runtime::Config& config, Clock* clock);  // the pages'
// Whether gRPC and HTTP can listen. Both are taken, rightly, while a server runs on the data directory.
Finding ExamineAddresses(const runtime::Config& config);

}  // namespace ringback
