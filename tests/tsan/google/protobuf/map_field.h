// For ThreadSanitizer builds only, found before the library's header of this name. That one gives map fields two more
// members under ThreadSanitizer, which Debian's protobuf, built without, does not have: each side would read the other's
// messages past their real places. So the header is read as the library was built.
#pragma once
#pragma push_macro("__SANITIZE_THREAD__")
#undef __SANITIZE_THREAD__
#include_next <google/protobuf/map_field.h>
#pragma pop_macro("__SANITIZE_THREAD__")
