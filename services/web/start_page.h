// What a member sees first: who one is, and the own open callbacks.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/time_words.h"
#include "core/rpc/sessions.h"
#include "core/store/store.h"
#include "core/words/template_mustache.h"

namespace ringback::web {

// The member's language, else the team's, else German.
domain::Language StaffLanguage(const store::v1::TeamRecord& team, const store::v1::Member& member);

// Values for the template "start". Reads the store.
absl::StatusOr<words::TemplateValues> DescribeStart(store::Store& store, const rpc::Session& session, absl::Time now);

}  // namespace ringback::web
