// The program ringback-delivery: messages go out, and data leaves when its time is over.
#include "delivery/app.h"
#include "core/runtime/service_main.h"

int main(int argc, char** argv) { return ringback::runtime::ServiceMain(argc, argv, {ringback::delivery::RunDelivery}); }
