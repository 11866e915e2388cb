#include "core/blob/s3_xml.h"

#include <pugixml.hpp>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::blob {
namespace {

// Elements are found by their name without regard to the namespace, which some servers leave out.
absl::StatusOr<pugi::xml_node> Root(pugi::xml_document& document, const std::string& body, const char* name) {
  const pugi::xml_parse_result result = document.load_buffer(body.data(), body.size());
  const pugi::xml_node root = document.child(name);
  if (!result || !root) {
    return absl::UnavailableError(
        absl::StrCat("the answer is no ", name, " of S3; is s3.endpoint an S3 server? (", result.description(), ")"));
  }
  return root;
}

absl::StatusOr<absl::Time> TimeOf(const pugi::xml_node& node) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, node.text().get(), &time, &error)) {
    return absl::UnavailableError(absl::StrCat("S3 gave \"", node.text().get(), "\" for a time: ", error));
  }
  return time;
}

}  // namespace

S3ErrorBody ParseS3Error(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node error = document.child("Error");
  return {error.child("Code").text().get(), error.child("Message").text().get()};
}

absl::StatusOr<S3Page> ParseS3List(const std::string& body) {
  pugi::xml_document document;
  RB_ASSIGN_OR_RETURN(const pugi::xml_node root, Root(document, body, "ListBucketResult"));
  S3Page page;
  page.truncated = root.child("IsTruncated").text().as_bool();
  for (const pugi::xml_node& object : root.children("Contents")) {
    BlobInfo info;
    info.name = object.child("Key").text().get();
    info.size = object.child("Size").text().as_llong(-1);
    RB_ASSIGN_OR_RETURN(info.modified, TimeOf(object.child("LastModified")));
    if (info.name.empty() || info.size < 0) return absl::UnavailableError("S3 listed an object without key or size");
    page.objects.push_back(std::move(info));
  }
  return page;
}

absl::StatusOr<std::string> ParseS3UploadId(const std::string& body) {
  pugi::xml_document document;
  RB_ASSIGN_OR_RETURN(const pugi::xml_node root, Root(document, body, "InitiateMultipartUploadResult"));
  std::string id = root.child("UploadId").text().get();
  if (id.empty()) return absl::UnavailableError("S3 began an upload without an id");
  return id;
}

absl::StatusOr<S3Uploads> ParseS3Uploads(const std::string& body) {
  pugi::xml_document document;
  RB_ASSIGN_OR_RETURN(const pugi::xml_node root, Root(document, body, "ListMultipartUploadsResult"));
  S3Uploads page;
  for (const pugi::xml_node& node : root.children("Upload")) {
    S3Upload upload;
    upload.key = node.child("Key").text().get();
    upload.upload_id = node.child("UploadId").text().get();
    RB_ASSIGN_OR_RETURN(upload.initiated, TimeOf(node.child("Initiated")));
    page.uploads.push_back(std::move(upload));
  }
  if (root.child("IsTruncated").text().as_bool()) {
    page.next_key = root.child("NextKeyMarker").text().get();
    page.next_upload_id = root.child("NextUploadIdMarker").text().get();
  }
  return page;
}

std::string S3CompleteBody(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (size_t i = 0; i < etags.size(); ++i) {
    pugi::xml_node part = root.append_child("Part");
    part.append_child("PartNumber").text() = static_cast<unsigned>(i + 1);
    part.append_child("ETag").text() = etags[i].c_str();
  }
  std::ostringstream text;
  document.save(text, "", pugi::format_raw | pugi::format_no_declaration);
  return text.str();
}

}  // namespace ringback::blob
