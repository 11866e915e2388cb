#include "core/http/live_body.h"

#include <utility>

namespace ringback::http {

bool LiveBody::Put(Block block) {
  MutexLock lock(&mutex_);
  if (closed_) return false;
  if (bytes_ + block->size() > waiting_bytes_max_) {
    closed_ = true;
    Wake();
    return false;
  }
  bytes_ += block->size();
  blocks_.push_back(std::move(block));
  if (blocks_.size() == 1) Wake();
  return true;
}

void LiveBody::Close() {
  MutexLock lock(&mutex_);
  if (closed_) return;
  closed_ = true;
  Wake();
}

bool LiveBody::closed() const {
  MutexLock lock(&mutex_);
  return closed_;
}

void LiveBody::Attend(std::function<void()> wake) {
  MutexLock lock(&mutex_);
  wake_ = std::move(wake);
}

LiveBody::Waiting LiveBody::Take() {
  MutexLock lock(&mutex_);
  bytes_ = 0;
  return {std::exchange(blocks_, {}), closed_};
}

void LiveBody::Leave() {
  MutexLock lock(&mutex_);
  closed_ = true;
  wake_ = nullptr;
  blocks_.clear();
  bytes_ = 0;
}

void LiveBody::Wake() {
  if (wake_) wake_();
}

}  // namespace ringback::http
