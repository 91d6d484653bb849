/* test_elsewhere.c - where an API may answer when a URL leads to none. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/elsewhere.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* o: OpenAI's API, l: Ollama. */
static void the_likeliest_place_comes_first_and_the_one_asked_already_never(
    void **state)
{
    static const struct {
        enum llm_provider provider;
        const char *url, *places;
    } cases[] = {
        {LLM_OPENAI, "http://h:1",
         "o http://h:1/v1, o http://h:1/api/v1, l http://h:1"},
        {LLM_OPENAI, "http://h:1/v1", "o http://h:1/api/v1, l http://h:1"},
        {LLM_OPENAI, "http://h/v1/v1", "o http://h/v1, o http://h/api/v1, l http://h"},
        {LLM_OPENAI, "https://h/v1/chat/completions",
         "o https://h/v1, o https://h/api/v1, l https://h"},
        {LLM_OPENAI, "https://h/llm",
         "o https://h/llm/v1, o https://h/llm/api/v1, o https://h/v1, o "
         "https://h/api/v1, l https://h/llm, l https://h"},
        {LLM_OLLAMA, "http://h:11434", "o http://h:11434/v1, o http://h:11434/api/v1"},
        {LLM_OLLAMA, "http://h/api/chat",
         "l http://h, o http://h/v1, o http://h/api/v1"},
        {LLM_SIMULATOR, "http://h/v1/", "l http://h, o http://h/v1, o http://h/api/v1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct elsewhere_place places[ELSEWHERE_MAX];
        size_t count = elsewhere_places(cases[i].provider, cases[i].url, places);
        struct buf told;

        buf_init(&told, 4096);
        for (size_t j = 0; j < count; j++) {
            buf_printf(&told, "%s%s %s", j == 0 ? "" : ", ",
                       places[j].provider == LLM_OPENAI ? "o" : "l", places[j].url);
            free(places[j].url);
        }
        assert_string_equal(buf_text(&told), cases[i].places);
        buf_done(&told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_likeliest_place_comes_first_and_the_one_asked_already_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
