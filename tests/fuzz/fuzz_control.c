/* fuzz_control.c - the target control of `make fuzz`: fuzz_parsers.h says what must
 * hold. */
#include "fuzz_parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_control(str_make((const char *)data, size));
    return 0;
}
