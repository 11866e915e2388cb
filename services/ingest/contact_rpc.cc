#include "ingest/contact_rpc.h"

#include "ingest/contact_calls.h"
#include "ingest/subject.h"
#include "ringback/v1/contact_service.grpc.pb.h"

namespace ringback::ingest {
namespace {

using Context = grpc::CallbackServerContext;

class ContactRpc final : public api::ContactService::CallbackService {
 public:
  explicit ContactRpc(runtime::Host& host) : host_(host) {}

  grpc::ServerUnaryReactor* PutContact(Context* context, const api::PutContactRequest* request,
                                       api::PutContactResponse* response) override {
    return Run(host_, context, "/ringback.v1.ContactService/PutContact", request, response, &ingest::PutContact);
  }
  grpc::ServerUnaryReactor* GetContact(Context* context, const api::GetContactRequest* request,
                                       api::GetContactResponse* response) override {
    return Run(host_, context, "/ringback.v1.ContactService/GetContact", request, response, &ingest::GetContact);
  }
  grpc::ServerUnaryReactor* ListContacts(Context* context, const api::ListContactsRequest* request,
                                         api::ListContactsResponse* response) override {
    return Run(host_, context, "/ringback.v1.ContactService/ListContacts", request, response, &ingest::ListContacts);
  }
  grpc::ServerUnaryReactor* ExportSubject(Context* context, const api::ExportSubjectRequest* request,
                                          api::ExportSubjectResponse* response) override {
    return Run(host_, context, "/ringback.v1.ContactService/ExportSubject", request, response, &ingest::ExportSubject);
  }
  grpc::ServerUnaryReactor* EraseSubject(Context* context, const api::EraseSubjectRequest* request,
                                         api::EraseSubjectResponse* response) override {
    return Run(host_, context, "/ringback.v1.ContactService/EraseSubject", request, response, &ingest::EraseSubject);
  }

 private:
  runtime::Host& host_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewContactRpc(runtime::Host& host) { return std::make_unique<ContactRpc>(host); }

}  // namespace ringback::ingest
