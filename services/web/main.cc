// The program ringback-web: the HTTP edge.
#include "web/app.h"
#include "core/runtime/service_main.h"

int main(int argc, char** argv) { return ringback::runtime::ServiceMain(argc, argv, {ringback::web::RunWeb}); }
