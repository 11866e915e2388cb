// Which files of a mail are kept: pictures and PDFs whose first bytes are what their type says. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ringback::delivery {

// "image/png" of a file that begins like one; "" for what is not kept.
std::string TypeByBytes(std::string_view bytes);

// The type under which a file is kept: `media_type` if it is one that is kept and the bytes agree. Where a mail program did
// not know the type (application/octet-stream), the name's ending speaks for it. "": not kept.
std::string KeptType(std::string_view media_type, std::string_view file_name, std::string_view bytes);

// Whether it is worth decoding: the type or the ending is one that is kept.
bool MayBeKept(std::string_view media_type, std::string_view file_name);

// One line, without a path, at most 200 bytes; "file" for one that has no name.
std::string CleanFileName(std::string_view name);

}  // namespace ringback::delivery
