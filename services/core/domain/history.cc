// The history keeps its last events inside the record; older ones leave page by page. See rules.h.
#include "core/domain/rules.h"

namespace ringback::domain {
namespace {

constexpr int kInline = 40;
constexpr int kPage = 40;

}  // namespace

std::optional<record::HistoryPageRecord> PageOut(record::CallbackRecord* callback) {
  if (callback->history_size() < kInline + kPage) return std::nullopt;
  record::HistoryPageRecord page;
  page.set_callback_id(callback->id());
  auto* history = callback->mutable_history();
  for (int i = 0; i < kPage; ++i) page.add_events()->Swap(history->Mutable(i));
  history->DeleteSubrange(0, kPage);
  callback->set_history_pages(callback->history_pages() + 1);
  return page;
}

}  // namespace ringback::domain
