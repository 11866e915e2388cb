#include "core/blob/blob_name.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ringback::blob {

absl::Status CheckName(const std::string& name) {
  bool good = !name.empty() && name.size() <= 200 &&
              name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789./_-") == std::string::npos &&
              name.find("..") == std::string::npos;
  for (const auto segment : absl::StrSplit(name, '/')) good = good && !segment.empty() && segment[0] != '.';
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("\"", absl::CHexEscape(name.substr(0, 200)),
                                                 "\" is no blob name; names look like 07/rc07h3k9x2m4q8w1/original"));
}

}  // namespace ringback::blob
