#include "core/store/sqlite_scrub.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

// Page layout: https://www.sqlite.org/fileformat2.html#b_tree_pages
constexpr int64_t kFileHeaderBytes = 100;
constexpr int64_t kChunkPages = 64;
// A page's first byte tells a b-tree page from an overflow page only while page numbers are below this (128 GB).
constexpr int64_t kPagesMax = 0x02000000;
constexpr int kTries = 10;
constexpr std::chrono::milliseconds kReadersWaitMax{500};

int64_t Two(const uint8_t* at) { return (at[0] << 8) | at[1]; }

struct Gap {
  int64_t begin = 0;  // within the page
  int64_t end = 0;
};

// The unused bytes of a b-tree page; empty for any other page and for one that makes no sense.
Gap GapOf(const uint8_t* page, int64_t header, int64_t usable) {
  const uint8_t type = page[header];
  const bool interior = type == 2 || type == 5;
  if (!interior && type != 10 && type != 13) return {};
  const int64_t begin = header + (interior ? 12 : 8) + 2 * Two(page + header + 3);
  const int64_t cells = Two(page + header + 5);
  const int64_t end = cells == 0 ? 65536 : cells;
  return begin < end && end <= usable ? Gap{begin, end} : Gap{};
}

absl::Status InputOutput(int code, const std::string& path) {
  if (code == SQLITE_OK) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("input/output error ", code, " while scrubbing ", path));
}

// Through SQLite's own handle: closing a descriptor of ours would drop the process's locks on the file.
absl::Status ZeroGaps(sqlite3_file* file, const std::string& path) {
  const sqlite3_io_methods& io = *file->pMethods;
  sqlite3_int64 bytes = 0;
  RB_RETURN_IF_ERROR(InputOutput(io.xFileSize(file, &bytes), path));
  uint8_t head[kFileHeaderBytes];
  if (bytes < kFileHeaderBytes) return absl::OkStatus();
  RB_RETURN_IF_ERROR(InputOutput(io.xRead(file, head, sizeof head, 0), path));
  const int64_t page_bytes = Two(head + 16) == 1 ? 65536 : Two(head + 16);
  const int64_t usable = page_bytes - head[20];
  const int64_t pages = bytes / page_bytes;
  if (pages >= kPagesMax) return absl::UnimplementedError("a database of 128 GB or more is not scrubbed");

  std::vector<uint8_t> chunk(static_cast<size_t>(kChunkPages * page_bytes));
  const std::vector<uint8_t> zeros(static_cast<size_t>(page_bytes), 0);
  for (int64_t first = 0; first < pages; first += kChunkPages) {
    const int64_t count = std::min(kChunkPages, pages - first);
    const int64_t at = first * page_bytes;
    RB_RETURN_IF_ERROR(InputOutput(io.xRead(file, chunk.data(), static_cast<int>(count * page_bytes), at), path));
    for (int64_t i = 0; i < count; ++i) {
      const uint8_t* page = chunk.data() + i * page_bytes;
      const Gap gap = GapOf(page, first + i == 0 ? kFileHeaderBytes : 0, usable);
      if (std::all_of(page + gap.begin, page + gap.end, [](uint8_t byte) { return byte == 0; })) continue;
      // Only the gap is written: whatever power does in between, the page's meaning stays.
      RB_RETURN_IF_ERROR(InputOutput(io.xWrite(file, zeros.data(), static_cast<int>(gap.end - gap.begin),
                                               at + i * page_bytes + gap.begin), path));
    }
  }
  return InputOutput(io.xSync(file, SQLITE_SYNC_NORMAL), path);
}

absl::Status EmptyLog(SqliteDb& db) {
  const std::chrono::milliseconds before = db.busy_timeout();
  db.SetBusyTimeout(kReadersWaitMax);
  Query q(db, "PRAGMA wal_checkpoint(TRUNCATE)");
  const bool emptied = q.Next() && q.Int(0) == 0;
  db.SetBusyTimeout(before);
  RB_RETURN_IF_ERROR(q.status());
  return emptied ? absl::OkStatus() : absl::UnavailableError("a reader keeps the log from being emptied; compact again");
}

bool LogIsEmpty(const std::string& path) {
  struct stat log;
  return stat((path + "-wal").c_str(), &log) != 0 || log.st_size == 0;
}

}  // namespace

absl::Status ScrubFile(SqliteDb& db, const std::string& path) {
  for (int tries = 0; tries < kTries; ++tries) {
    RB_RETURN_IF_ERROR(EmptyLog(db));
    // From here on nobody writes. Another process may just have: then its pages are still in the log.
    RB_RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
    if (!LogIsEmpty(path)) {
      RB_RETURN_IF_ERROR(db.Execute("ROLLBACK"));
      continue;
    }
    absl::Status status = ZeroGaps(db.file(), path);
    // A commit makes other processes forget the pages they remember, gaps included; then this connection forgets its own.
    if (status.ok()) {
      status = db.Execute("INSERT OR REPLACE INTO meta(name, value) VALUES('scrubbed', unixepoch()); COMMIT");
    }
    if (!status.ok() && db.in_transaction()) db.Execute("ROLLBACK").IgnoreError();
    db.ForgetPages();
    return status;
  }
  return absl::UnavailableError("another process writes too much for the log to be emptied; compact again");
}

}  // namespace ringback::store
