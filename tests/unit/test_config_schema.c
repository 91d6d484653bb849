/* test_config_schema.c - schemas/config.schema.json says what the table of options
 * says, no less and no more; and the loader judges the examples as the schema does.
 */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proto/config.h"
#include "proto/model_options.h"
#include "proto/schema.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const json_t *get(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(get(object, key));

    return text == NULL ? "" : text;
}

/* What the schema says of "section.name"; NULL when nothing. */
static const json_t *rule_of(const char *key)
{
    struct str name;
    struct str section = str_cut(str_of(key), '.', &name);
    char *copy = x_memdup(section.at, section.len);
    const json_t *rule = get(
        get(get(get(schema_get("config"), "properties"), copy), "properties"), name.at);

    free(copy);
    return rule;
}

static bool same_number(const json_t *value, double wanted)
{
    return json_is_number(value) && fabs(json_number_value(value) - wanted) < 1e-9;
}

/* The file counts durations in seconds, the table in milliseconds. */
static double in_file(const struct opt_row *row, double number)
{
    return row->kind == OPT_DURATION ? number / 1e3 : number;
}

static void check_number(const struct opt_row *row, const json_t *rule)
{
    const json_t *number = rule;

    if (row->none) {
        const json_t *none = get(json_array_get(get(rule, "anyOf"), 1), "enum");

        number = json_array_get(get(rule, "anyOf"), 0);
        if (json_array_size(get(rule, "anyOf")) != 2 || json_array_size(none) != 2
            || strcmp(json_string_value(json_array_get(none, 0)), "none") != 0
            || !json_is_null(json_array_get(none, 1)))
            fail_msg("%s: none and null are values of it", row->key);
    }
    if (strcmp(text_of(number, "type"), row->kind == OPT_INT ? "integer" : "number")
            != 0
        || !same_number(get(number, "minimum"), in_file(row, row->min))
        || !same_number(get(number, "maximum"), in_file(row, row->max)))
        fail_msg("%s: type or bounds", row->key);
}

static void check_choice(const struct opt_row *row, const json_t *rule)
{
    struct str rest = str_of(row->choices);
    const json_t *list = get(rule, "enum");
    size_t i;

    for (i = 0; rest.len > 0; i++) {
        struct str choice = str_cut(rest, '|', &rest);
        const char *listed = json_string_value(json_array_get(list, i));

        if (listed == NULL || !str_is(choice, listed))
            fail_msg("%s: choice %zu", row->key, i);
    }
    /* Where true and false are words, they may be written as themselves. */
    if (strstr(row->choices, "true|false") != NULL) {
        assert_true(json_is_true(json_array_get(list, i)));
        assert_true(json_is_false(json_array_get(list, i + 1)));
        i += 2;
    }
    assert_int_equal(json_array_size(list), i);
}

static const char *type_in_file(const struct opt_row *row)
{
    if (strcmp(row->key, "model.options") == 0)
        return "object";
    return row->kind == OPT_FLAG ? "boolean" : "string";
}

static void each_option_of_the_file_is_in_the_schema_with_its_kind_and_range(
    void **state)
{
    (void)state;
    for (size_t i = 0; i < config_row_count; i++) {
        const struct opt_row *row = &config_rows[i];
        const json_t *rule = row->key == NULL ? NULL : rule_of(row->key);

        if (row->key == NULL)
            continue;
        if (rule == NULL)
            fail_msg("%s is not in the schema", row->key);
        if (row->kind == OPT_INT || row->kind == OPT_REAL || row->kind == OPT_DURATION)
            check_number(row, rule);
        else if (row->kind == OPT_CHOICE)
            check_choice(row, rule);
        else if (strcmp(text_of(rule, "type"), type_in_file(row)) != 0)
            fail_msg("%s: type", row->key);
    }
}

static void defaults_are_the_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_row_count; i++) {
        const struct opt_row *row = &config_rows[i];
        const json_t *value =
            row->key == NULL ? NULL : get(rule_of(row->key), "default");
        const char *text = json_string_value(value);
        int64_t ms;
        double number;
        bool same;

        if (row->key == NULL)
            continue;
        if (text != NULL || row->fallback == NULL || value == NULL)
            same = (text == NULL) == (row->fallback == NULL)
                   && (text == NULL || strcmp(text, row->fallback) == 0);
        else if (row->kind == OPT_DURATION)
            same = str_to_duration_ms(str_of(row->fallback), &ms)
                   && same_number(value, (double)ms / 1e3);
        else
            same = str_to_double(str_of(row->fallback), -1e15, 1e15, &number)
                   && same_number(value, number);
        if (!same)
            fail_msg("%s: default", row->key);
    }
}

static bool is_option(const char *section, const char *name)
{
    char *key = x_printf("%s.%s", section, name);
    bool found = strcmp(key, "model.seats") == 0; /* has no row: see its own test */

    for (size_t i = 0; i < config_row_count; i++)
        found = found
                || (config_rows[i].key != NULL && strcmp(config_rows[i].key, key) == 0);
    free(key);
    return found;
}

static void nothing_else_is_in_the_schema(void **state)
{
    const char *section;
    const char *name;
    json_t *section_rule;
    json_t *rule;
    const json_t *schema = schema_get("config");

    (void)state;
    assert_true(json_is_false(get(schema, "additionalProperties")));
    json_object_foreach((json_t *)(uintptr_t)get(schema, "properties"), section,
                        section_rule)
    {
        assert_string_equal(text_of(section_rule, "type"), "object");
        if (strcmp(section, "endpoints") == 0 || strcmp(section, "tiers") == 0)
            continue; /* have no rows: the examples judge them */
        assert_true(json_is_false(get(section_rule, "additionalProperties")));
        json_object_foreach((json_t *)(uintptr_t)get(section_rule, "properties"), name,
                            rule)
        {
            const char *about = text_of(rule, "description");

            if (!is_option(section, name))
                fail_msg("%s.%s is no option", section, name);
            if (about[0] == '\0' || about[strlen(about) - 1] != '.')
                fail_msg("%s.%s: description '%s'", section, name, about);
        }
    }
}

static void a_model_may_be_named_for_each_seat(void **state)
{
    const json_t *rule = rule_of("model.seats");
    const json_t *seats = get(rule, "properties");

    (void)state;
    assert_string_equal(text_of(rule, "type"), "object");
    assert_true(json_is_false(get(rule, "additionalProperties")));
    assert_int_equal(json_object_size(seats), OPT_SEATS);
    for (int i = 1; i <= OPT_SEATS; i++) {
        char seat[8];

        fmt_into(seat, sizeof seat, "%d", i);
        assert_string_equal(text_of(get(seats, seat), "$ref"), "#/$defs/model");
    }
}

/* Bounds as the schemas have them. */
static void same_option(const struct model_option *option, const json_t *rule)
{
    static const char *const types[] = {[MODEL_OPTION_INT] = "integer",
                                        [MODEL_OPTION_REAL] = "number",
                                        [MODEL_OPTION_BOOL] = "boolean"};

    if (strcmp(text_of(rule, "type"), types[option->kind]) != 0)
        fail_msg("%s: type", option->name);
    if (option->kind != MODEL_OPTION_BOOL
        && (!same_number(get(rule, "minimum"), option->min)
            || !same_number(get(rule, "maximum"), option->max)))
        fail_msg("%s: bounds", option->name);
}

/* own: those with a place of their own are listed, too. */
static void lists_all_options(const json_t *properties, bool own)
{
    const struct model_option *option;
    size_t count = 0;

    for (size_t i = 0; (option = model_option(i)) != NULL; i++) {
        if (option->own && !own)
            continue;
        same_option(option, get(properties, option->name));
        count++;
    }
    assert_int_equal(json_object_size(properties), count);
}

static void the_options_of_a_model_are_in_the_schemas(void **state)
{
    const json_t *persona =
        get(get(get(schema_get("story_file"), "$defs"), "persona"), "properties");
    const struct model_option *option;

    (void)state;
    lists_all_options(get(rule_of("model.options"), "properties"), false);
    lists_all_options(get(get(persona, "options"), "properties"), true);
    for (size_t i = 0; (option = model_option(i)) != NULL; i++)
        if (option->own)
            same_option(option, get(persona, option->name));
}

/* A seat of a cast has those with a place of their own as numbers or null, and a seed.
 */
static void the_options_of_a_model_are_in_the_schemas_of_casts(void **state)
{
    const json_t *seat = get(schema_get("seat"), "properties");
    const json_t *run_seat =
        get(get(get(schema_get("run"), "$defs"), "seat"), "properties");
    const json_t *options = get(get(seat, "options"), "properties");
    const struct model_option *option;

    (void)state;
    for (size_t i = 0; (option = model_option(i)) != NULL; i++) {
        if (!option->own)
            same_option(option, get(options, option->name));
        assert_non_null(get(options, option->name));
    }
    assert_true(json_equal(options, get(get(run_seat, "options"), "properties")));
    assert_true(json_equal(get(seat, "think"), get(run_seat, "think")));
    assert_int_equal(json_object_size(run_seat), json_object_size(seat) + 1);
}

/* ---- the examples, by the schema and by the loader ---- */

static bool schema_takes(const char *path, struct err *err)
{
    json_t *document = NULL;
    struct buf text;
    bool ok;

    buf_init(&text, 1 << 20);
    assert_true(file_slurp(path, &text, err));
    assert_true(json_read(buf_str(&text), &document, err));
    ok = schema_check(schema_get("config"), document, err);
    json_decref(document);
    buf_done(&text);
    return ok;
}

static bool loader_takes(const char *path, struct err *err)
{
    static const struct config_use use = {FOR_CHECK, "parley check-config", "", ""};
    struct config_loaded loaded;
    char *flag = x_printf("--config=%s", path);
    char log[] = "--log-file=/dev/null"; /* no example opens a log */
    char *argv[] = {flag, log, NULL};
    enum config_next next = config_load(&use, 2, argv, &loaded, err);

    config_done(&loaded);
    free(flag);
    return next == CONFIG_GO;
}

static void judge(const char *folder, const char *file)
{
    char *path = path_join(folder, file);
    bool wanted = strncmp(file, "valid-", 6) == 0;
    struct err by_schema = {0};
    struct err by_loader = {0};

    if (schema_takes(path, &by_schema) != wanted)
        fail_msg("%s: by the schema: %s", path, wanted ? by_schema.msg : "taken");
    if (loader_takes(path, &by_loader) != wanted)
        fail_msg("%s: by the loader: %s", path, wanted ? by_loader.msg : "taken");
    if (!wanted && strstr(by_loader.msg, path) == NULL)
        fail_msg("%s: the message does not name the file: %s", path, by_loader.msg);
    free(path);
}

static void loader_and_schema_judge_the_examples_alike(void **state)
{
    static const char folder[] = "schemas/examples/config";
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int valid = 0;
    int all = 0;

    (void)state;
    if (dir == NULL) {
        fail_msg("%s: run me in the source tree's root", folder);
        return;
    }
    /* cppcheck-suppress readdirCalled ; one thread */
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        judge(folder, entry->d_name);
        valid += strncmp(entry->d_name, "valid-", 6) == 0;
        all++;
    }
    (void)closedir(dir); /* only read */
    assert_true(valid >= 5);
    assert_true(all - valid >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            each_option_of_the_file_is_in_the_schema_with_its_kind_and_range),
        cmocka_unit_test(defaults_are_the_tables),
        cmocka_unit_test(nothing_else_is_in_the_schema),
        cmocka_unit_test(a_model_may_be_named_for_each_seat),
        cmocka_unit_test(the_options_of_a_model_are_in_the_schemas),
        cmocka_unit_test(the_options_of_a_model_are_in_the_schemas_of_casts),
        cmocka_unit_test(loader_and_schema_judge_the_examples_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
