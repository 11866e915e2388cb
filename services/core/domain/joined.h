// Two commands that are one change.
#pragma once

#include "core/domain/rules.h"

namespace ringback::domain {

// Two decisions in a row on one callback, the second one made upon first.callback, as one to be committed.
Decision Joined(Decision first, Decision second);

}  // namespace ringback::domain
