// Measures blobs on S3 beside the directory, in turns within one run, and prints medians of milliseconds per call as a
// table and as JSON. The S3 server is the one of the tests, on this machine and the same disk: what is measured is what the
// protocol, its hashes and its server cost, without a network. Judges nothing.
//   ringback-blob-bench [--json FILE]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/ids.h"
#include "core/blob/blob_store.h"
#include "core/blob/s3_blobs.h"
#include "core/blob/s3_test_server.h"

namespace ringback::blob {
namespace {

using Samples = std::map<std::string, std::vector<double>>;

void Time(Samples& samples, const std::string& what, const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  samples[what].push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
}

void Round(Samples& samples, const std::string& place, BlobStore& blobs, size_t size, int calls) {
  std::string bytes(size, '\0');
  NewSeededRandom(size)->Fill(bytes.data(), bytes.size());
  const std::string label = size >= (1 << 20) ? absl::StrCat(size >> 20, " MiB") : absl::StrCat(size >> 10, " KiB");
  for (int i = 0; i < calls; ++i) {
    const std::string name = absl::StrCat("07/rc07", i, "/original");
    Time(samples, absl::StrCat("put ", label, ", ", place), [&] { RB_CHECK(blobs.Put(name, bytes).ok()); });
    Time(samples, absl::StrCat("get ", label, ", ", place), [&] { RB_CHECK(blobs.Get(name).value() == bytes); });
    Time(samples, absl::StrCat("size ", label, ", ", place), [&] { RB_CHECK(blobs.Size(name).ok()); });
  }
}

int Run(const std::string& json) {
  S3Server server;
  TempDir folder;
  const auto s3 = OpenS3(server.NewBucket()).value();
  const auto directory = OpenDirectory(folder.path() + "/blobs").value();
  Samples samples;
  for (int round = 0; round < 5; ++round) {
    for (const auto& [size, calls] : {std::pair<size_t, int>{10 << 10, 40}, {1 << 20, 20}, {32 << 20, 1}}) {
      Round(samples, "directory", *directory, size, calls);
      Round(samples, "s3", *s3, size, calls);
    }
  }
  std::ofstream file(json);
  const char* before = "{\n ";
  std::printf("%-28s %10s %10s %6s\n", "ms per call", "p50", "p99", "calls");
  for (const auto& [what, values] : samples) {
    std::printf("%-28s %10.2f %10.2f %6zu\n", what.c_str(), Quantile(values, 0.5), Quantile(values, 0.99), values.size());
    if (!json.empty()) {
      file << before << "\"" << what << "\": {\"p50_ms\": " << Quantile(values, 0.5) << ", \"p99_ms\": " << Quantile(values, 0.99)
           << "}";
      before = ",\n ";
    }
  }
  if (!json.empty()) file << "\n}\n";
  return 0;
}

}  // namespace
}  // namespace ringback::blob

int main(int argc, char** argv) {
  return ringback::blob::Run(argc == 3 && std::string(argv[1]) == "--json" ? argv[2] : "");
}
