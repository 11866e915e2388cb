#include "core/domain/joined.h"

#include <iterator>
#include <utility>

namespace ringback::domain {

Decision Joined(Decision first, Decision second) {
  const auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  append(first.new_deliveries, second.new_deliveries);
  append(first.withdrawn_delivery_ids, second.withdrawn_delivery_ids);
  append(first.events, second.events);
  append(first.counters, second.counters);
  append(first.warnings, second.warnings);
  first.callback = std::move(second.callback);
  first.next_timer = second.next_timer;
  if (second.purge_time.has_value()) first.purge_time = second.purge_time;
  return first;
}

}  // namespace ringback::domain
