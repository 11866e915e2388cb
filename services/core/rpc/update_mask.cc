#include "core/rpc/update_mask.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/domain/input.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/field_mask_util.h"

namespace ringback::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::Message;
using google::protobuf::util::FieldMaskUtil;
using Names = std::vector<std::string>;

Names Changeable(const Descriptor& type, std::initializer_list<std::string_view> fixed) {
  Names names;
  for (int i = 0; i < type.field_count(); ++i) {
    const std::string& name = type.field(i)->name();
    if (std::find(fixed.begin(), fixed.end(), name) == fixed.end()) names.push_back(name);
  }
  return names;
}

// Each part but the last is a single message that has the next one.
bool LeadsToAField(const Descriptor& type, const std::string& path) {
  const Descriptor* inside = &type;
  for (const std::string& part : Names(absl::StrSplit(path, '.'))) {
    const FieldDescriptor* const field = inside == nullptr ? nullptr : inside->FindFieldByName(part);
    if (field == nullptr) return false;
    const bool one_message = !field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    inside = one_message ? field->message_type() : nullptr;
  }
  return true;
}

}  // namespace

absl::StatusOr<UpdateMask> UpdateMask::Of(const FieldMask& mask, const Message& given,
                                          std::initializer_list<std::string_view> fixed) {
  const Descriptor& type = *given.GetDescriptor();
  const Names changeable = Changeable(type, fixed);
  UpdateMask made;
  made.explicit_ = mask.paths_size() > 0;
  for (int i = 0; i < mask.paths_size(); ++i) {
    const std::string& path = mask.paths(i);
    if (path == "*") {
      for (const std::string& name : changeable) made.paths_.add_paths(name);
      continue;
    }
    const std::string top = path.substr(0, path.find('.'));
    if (std::find(changeable.begin(), changeable.end(), top) == changeable.end() || !LeadsToAField(type, path)) {
      return domain::InvalidField(absl::StrCat("update_mask.paths[", i, "]"), "MASK_PATH_UNKNOWN",
                                  absl::StrCat("\"", path.substr(0, 100), "\" is no field that can be changed; there are ",
                                               absl::StrJoin(changeable, ", "), ", fields inside them, and *"));
    }
    made.paths_.add_paths(path);
  }
  if (!made.explicit_) {
    for (const std::string& name : changeable) {
      const FieldDescriptor* const field = type.FindFieldByName(name);
      const auto* const reflection = given.GetReflection();
      const bool set = field->is_repeated() ? reflection->FieldSize(given, field) > 0 : reflection->HasField(given, field);
      if (set) made.paths_.add_paths(name);
    }
  }
  return made;
}

bool UpdateMask::Within(std::initializer_list<std::string_view> fields) const {
  return std::all_of(paths_.paths().begin(), paths_.paths().end(), [&](const std::string& path) {
    return std::find(fields.begin(), fields.end(), std::string_view(path).substr(0, path.find('.'))) != fields.end();
  });
}

bool UpdateMask::Has(std::string_view field) const {
  const std::string name(field);
  return std::any_of(paths_.paths().begin(), paths_.paths().end(), [&](const std::string& path) {
    return path == name || absl::StartsWith(path, name + ".");
  });
}

void UpdateMask::Trim(Message* message) const {
  if (paths_.paths_size() == 0) {
    message->Clear();  // to protobuf an empty mask is all fields
  } else {
    FieldMaskUtil::TrimMessage(paths_, message);
  }
}

void UpdateMask::Copy(const Message& from, Message* to) const {
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(from, paths_, options, to);
}

}  // namespace ringback::rpc
