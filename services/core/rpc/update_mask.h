// Which fields an update means (AIP-134, google.protobuf.FieldMask): the fields that the mask names, whatever their value,
// so that each can be emptied or set to zero too. Without a mask it means every field that has a value.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"

namespace ringback::rpc {

class UpdateMask {
 public:
  // `given` is the request's message, `fixed` its fields that no update changes (id, create_time). "*" means all others.
  // INVALID_ARGUMENT naming "update_mask.paths[i]" for a path that the message does not have or that is fixed.
  static absl::StatusOr<UpdateMask> Of(const google::protobuf::FieldMask& mask, const google::protobuf::Message& given,
                                       std::initializer_list<std::string_view> fixed = {});

  // The request named the fields itself.
  bool explicit_paths() const { return explicit_; }
  // The field of the message, or a field inside it, is meant.
  bool Has(std::string_view field) const;
  // Nothing is meant but these fields, or what is inside them.
  bool Within(std::initializer_list<std::string_view> fields) const;
  // `message` without what is not meant, so that a field that only came along is not looked at.
  template <typename Message>
  Message Only(Message message) const {
    Trim(&message);
    return message;
  }
  // Makes in `to` what is meant the same as in `from`. Both are of one type, which has the mask's fields by name.
  void Copy(const google::protobuf::Message& from, google::protobuf::Message* to) const;

 private:
  void Trim(google::protobuf::Message* message) const;

  google::protobuf::FieldMask paths_;
  bool explicit_ = false;
};

}  // namespace ringback::rpc
