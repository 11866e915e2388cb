// Whether a customer's words say that the promised time does not suit: "13 Uhr geht leider nicht". German and English. Pure.
//
// A wrong yes interrupts the rep for a moment, a wrong no lets a call be made that nobody takes: a sentence has to name a time
// and say no, and that is enough.
#pragma once

#include <string_view>

namespace ringback::delivery {

bool DeclinesTheTime(std::string_view words);

}  // namespace ringback::delivery
