/* fuzz_sse.c - the target sse of `make fuzz`: fuzz_reader.h says what must hold. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_sse(str_make((const char *)data, size));
    return 0;
}
