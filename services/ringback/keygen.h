// `ringback keygen`: a key for the hand-off (CURVE).
#pragma once

#include "ringback/cli/commands.h"

namespace ringback {

void AddKeygenCommand(cli::Commands& commands);

}  // namespace ringback
