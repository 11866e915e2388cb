// See policy_file.h.
#include "ringback/cli/policy_file.h"

#include <toml++/toml.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "google/protobuf/util/json_util.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

using google::protobuf::Duration;

struct SpanKey {
  const char* name;
  Duration* (v1::Policy::*set)();
  const Duration& (v1::Policy::*get)() const;
  const char* help;
};
constexpr SpanKey kSpans[] = {
    {"repeat_interval", &v1::Policy::mutable_repeat_interval, &v1::Policy::repeat_interval,
     "from the last alarm of one round to the first of the next"},
    {"ack_timeout", &v1::Policy::mutable_ack_timeout, &v1::Policy::ack_timeout,
     "how long \"I have it\" holds the alarms, 1m to 7d"},
    {"response_target", &v1::Policy::mutable_response_target, &v1::Policy::response_target,
     "by when a caller must have a promise, in team hours"},
    {"follow_up", &v1::Policy::mutable_follow_up, &v1::Policy::follow_up,
     "after a call that did not reach the customer"},
    {"tolerance", &v1::Policy::mutable_tolerance, &v1::Policy::tolerance,
     "a call so much after the promised time still keeps the promise"},
    {"reminder_lead", &v1::Policy::mutable_reminder_lead, &v1::Policy::reminder_lead,
     "the first reminder comes so much before the promised time"},
    {"delivery_guard", &v1::Policy::mutable_delivery_guard, &v1::Policy::delivery_guard,
     "a message not accepted so much before the promised time is an alarm"},
    {"wrap_up", &v1::Policy::mutable_wrap_up, &v1::Policy::wrap_up,
     "after a conversation: when the assignee is asked to close the callback"},
};

absl::Status Wrong(const toml::node& node, const std::string& key, std::string_view right) {
  return absl::InvalidArgumentError(
      absl::StrCat("line ", node.source().begin.line, ": ", key, ": ", std::string(right)));
}

absl::Status ReadSpan(const toml::node& node, const std::string& key, Duration* span) {
  const auto text = node.value<std::string>();
  if (!text) return Wrong(node, key, "must be a text like \"10m\" or \"1h30m\"");
  const absl::StatusOr<absl::Duration> parsed = ParseSpanOrZero(*text);
  if (!parsed.ok()) return Wrong(node, key, std::string(parsed.status().message()));
  *span = domain::ToProto(*parsed);
  return absl::OkStatus();
}

absl::Status ReadCount(const toml::node& node, const std::string& key, const std::function<void(int32_t)>& set) {
  const auto number = node.value_exact<int64_t>();
  if (!number || *number < 0 || *number > 1000) return Wrong(node, key, "must be a whole number from 0 on");
  set(static_cast<int32_t>(*number));
  return absl::OkStatus();
}

absl::Status ReadRecipients(const toml::node& node, const std::string& key, const MemberId& member_id,
                            v1::Policy::Step* step) {
  const toml::array* const list = node.as_array();
  if (list == nullptr) return Wrong(node, key, "must be a list like [\"assignee\", \"managers\"]");
  for (const toml::node& entry : *list) {
    const auto who = entry.value<std::string>();
    if (!who) return Wrong(entry, key, "must hold texts: assignee, managers, admins, or a member's name or address");
    v1::Recipient* const recipient = step->add_recipients();
    if (*who == "assignee") {
      recipient->set_kind(v1::Recipient::KIND_ASSIGNEE);
    } else if (*who == "managers") {
      recipient->set_kind(v1::Recipient::KIND_MANAGERS);
    } else if (*who == "admins") {
      recipient->set_kind(v1::Recipient::KIND_ADMINS);
    } else {
      // Behind the address may stand a name, as PolicyToml writes it: "mb07… (Anna Schmidt)".
      const absl::StatusOr<std::string> id = member_id(who->substr(0, who->find(" (")));
      if (!id.ok()) return Wrong(entry, key, std::string(id.status().message()));
      recipient->set_kind(v1::Recipient::KIND_MEMBER);
      recipient->set_member_id(*id);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadSteps(const toml::node& node, const MemberId& member_id, v1::Policy* policy) {
  const toml::array* const steps = node.as_array();
  if (steps == nullptr) return Wrong(node, "steps", "is written as [[steps]], once for each");
  for (const toml::node& entry : *steps) {
    const toml::table* const table = entry.as_table();
    if (table == nullptr) return Wrong(entry, "steps", "is written as [[steps]], once for each");
    v1::Policy::Step* const step = policy->add_steps();
    const std::string at = absl::StrCat("steps[", policy->steps_size() - 1, "].");
    for (const auto& [key, value] : *table) {
      const std::string name = at + std::string(key.str());
      if (key == "delay") {
        RB_RETURN_IF_ERROR(ReadSpan(value, name, step->mutable_delay()));
      } else if (key == "recipients") {
        RB_RETURN_IF_ERROR(ReadRecipients(value, name, member_id, step));
      } else if (key == "any_time") {
        const auto yes = value.value_exact<bool>();
        if (!yes) return Wrong(value, name, "must be true or false");
        step->set_any_time(*yes);
      } else {
        return Wrong(value, name, "is not known; a step has delay, recipients and any_time");
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Policy> FromToml(std::string_view text, const MemberId& member_id) {
  toml::table document;
  try {
    document = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", error.source().begin.line, ": ", std::string(error.description())));
  }
  v1::Policy policy;
  for (const auto& [key, value] : document) {
    const std::string name(key.str());
    const SpanKey* span = nullptr;
    for (const SpanKey& candidate : kSpans) {
      if (name == candidate.name) span = &candidate;
    }
    if (span != nullptr) {
      RB_RETURN_IF_ERROR(ReadSpan(value, name, (policy.*span->set)()));
    } else if (name == "repeat_from_step") {
      RB_RETURN_IF_ERROR(ReadCount(value, name, [&](int32_t n) { policy.set_repeat_from_step(n); }));
    } else if (name == "repeat_count") {
      RB_RETURN_IF_ERROR(ReadCount(value, name, [&](int32_t n) { policy.set_repeat_count(n); }));
    } else if (name == "steps") {
      RB_RETURN_IF_ERROR(ReadSteps(value, member_id, &policy));
    } else {
      return Wrong(value, name, absl::StrCat("is not known; a policy has steps, repeat_from_step, repeat_count, ",
                                             absl::StrJoin(kSpans, ", ", [](std::string* out, const SpanKey& known) {
                                               out->append(known.name);
                                             })));
    }
  }
  return policy;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

absl::StatusOr<v1::Policy> ParsePolicy(std::string_view text, const MemberId& member_id) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return absl::InvalidArgumentError("the file is empty; `ringback policy show` prints one to edit");
  if (text[begin] != '{') return FromToml(text, member_id);
  // Both the policy itself and GetPolicyResponse as `policy show --json` prints it.
  v1::Policy policy;
  v1::GetPolicyResponse response;
  const google::protobuf::StringPiece json(text.data(), text.size());
  if (google::protobuf::util::JsonStringToMessage(json, &response).ok()) return response.policy();
  const auto status = google::protobuf::util::JsonStringToMessage(json, &policy);
  if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat("not a policy in JSON: ", std::string(status.message())));
  return policy;
}

std::string PolicyToml(const v1::Policy& policy, const MemberName& member_name) {
  std::string text =
      "# When a callback past its time alarms whom. Change it, then: ringback policy set FILE\n"
      "# Delays count from the promised time (or the response target, or the follow-up time).\n\n";
  absl::StrAppend(&text, "repeat_from_step = ", policy.repeat_from_step(),
                  "  # after the last step the steps from this one on fire again; 0: the last alone\n",
                  "repeat_count = ", policy.repeat_count(), "  # how often, 0 to 20; then daily\n");
  for (const SpanKey& key : kSpans) {
    absl::StrAppend(&text, key.name, " = \"", SpanText(domain::FromProto((policy.*key.get)())), "\"  # ", key.help, "\n");
  }
  for (const v1::Policy::Step& step : policy.steps()) {
    const std::string recipients = absl::StrJoin(step.recipients(), ", ", [&](std::string* out, const auto& recipient) {
      switch (recipient.kind()) {
        case v1::Recipient::KIND_ASSIGNEE: out->append("\"assignee\""); break;
        case v1::Recipient::KIND_MANAGERS: out->append("\"managers\""); break;
        case v1::Recipient::KIND_ADMINS: out->append("\"admins\""); break;
        default: out->append(Quoted(absl::StrCat(recipient.member_id(), " (", member_name(recipient.member_id()), ")")));
      }
    });
    absl::StrAppend(&text, "\n[[steps]]\ndelay = \"", SpanText(domain::FromProto(step.delay())), "\"\nrecipients = [",
                    recipients, "]  # assignee, managers, admins, or a member's name or address\nany_time = ",
                    step.any_time() ? "true" : "false", "  # outside the team's hours too\n");
  }
  return text;
}

}  // namespace ringback::cli
