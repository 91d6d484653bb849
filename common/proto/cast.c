/* cast.c - see cast.h.
 *
 * What comes from people and models is held to its schema first; what a schema cannot
 * say (names that differ, texts that are not blank) is checked here, with complaints
 * of the same form, on the document itself.
 */
#include "proto/cast.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "proto/cast_json.h"
#include "proto/document.h"
#include "proto/json_write.h"
#include "proto/schema.h"
#include "proto/seat_model.h"

/* SAID: more than any reply that a provider lets through. */
enum { NAME_LETTERS_MAX = 80, SAID_MAX_BYTES = 4 << 20 };

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : x_strdup(text);
}

void story_done(struct story *story)
{
    for (size_t i = 0; i < story->character_count; i++) {
        free(story->characters[i].name);
        free(story->characters[i].description);
    }
    free(story->characters);
    free(story->setting);
    free(story->initial_situation);
    *story = (struct story){0};
}

void story_copy(struct story *to, const struct story *from)
{
    *to = (struct story){.setting = copy_text(from->setting),
                         .initial_situation = copy_text(from->initial_situation)};
    if (from->character_count == 0)
        return;
    to->characters = x_calloc(from->character_count, sizeof *to->characters);
    to->character_count = from->character_count;
    for (size_t i = 0; i < from->character_count; i++) {
        to->characters[i].name = copy_text(from->characters[i].name);
        to->characters[i].description = copy_text(from->characters[i].description);
    }
}

void persona_done(struct persona *persona)
{
    for (size_t i = 0; i < persona->trait_count; i++)
        free(persona->traits[i]);
    free(persona->traits);
    free(persona->name);
    free(persona->role);
    free(persona->goal);
    free(persona->style);
    *persona = (struct persona){0};
}

void persona_copy(struct persona *to, const struct persona *from)
{
    *to = (struct persona){.name = copy_text(from->name),
                           .role = copy_text(from->role),
                           .goal = copy_text(from->goal),
                           .style = copy_text(from->style)};
    if (from->trait_count == 0)
        return;
    to->traits = x_calloc(from->trait_count, sizeof *to->traits);
    to->trait_count = from->trait_count;
    for (size_t i = 0; i < from->trait_count; i++)
        to->traits[i] = copy_text(from->traits[i]);
}

void seat_init(struct seat *seat)
{
    *seat = (struct seat){.driver = x_strdup("model"), .lane = -1};
    seat_model_init(&seat->model);
}

void seat_done(struct seat *seat)
{
    persona_done(&seat->persona);
    free(seat->driver);
    free(seat->fallback_reply);
    seat_model_done(&seat->model);
    *seat = (struct seat){0};
}

static void seats_free(struct seat *seats, size_t count)
{
    for (size_t i = 0; i < count; i++)
        seat_done(&seats[i]);
    free(seats);
}

void cast_done(struct cast *cast)
{
    story_done(&cast->story);
    seats_free(cast->seats, cast->seat_count);
    *cast = (struct cast){0};
}

static const char *yes_no(bool yes)
{
    return yes ? "true" : "false";
}

bool seat_format(const struct seat *seat, struct buf *into)
{
    buf_add_text(into, "{\"persona\":{");
    persona_write(into, &seat->persona);
    buf_add_text(into, "},\"driver\":");
    json_write_text(into, seat->driver);
    buf_add_text(into, ",\"lane\":");
    json_write_i64(into, seat->lane);
    buf_add_char(into, ',');
    seat_model_write(into, &seat->model);
    buf_printf(into, ",\"spotlight\":%s,\"structured\":%s,\"fallback_reply\":",
               yes_no(seat->spotlight), yes_no(seat->structured));
    json_write_text(into, seat->fallback_reply);
    buf_add_char(into, '}');
    return !into->overflowed;
}

/* What a seat has in a cast and a persona in a story file. */
static bool read_marks(const struct json_place *root, struct seat *seat,
                       struct err *err)
{
    return json_get_bool(json_member(root, "spotlight"), &seat->spotlight, err)
           && json_get_bool(json_member(root, "structured"), &seat->structured, err)
           && json_get_text_or_null(json_member(root, "fallback_reply"),
                                    &seat->fallback_reply, err)
           && seat_model_read(root, &seat->model, err);
}

/* Into a seat that seat_done can free, however far it came. */
static bool read_seat(const struct json_place *root, struct seat *seat, struct err *err)
{
    struct json_place persona = json_member(root, "persona");
    struct json_place lane = json_member(root, "lane");

    seat_model_init(&seat->model);
    if (!persona_read(&persona, &seat->persona, err)
        || !json_get_text(json_member(root, "driver"), &seat->driver, err)
        || !json_get_count(lane, 1, &seat->lane, err) || !read_marks(root, seat, err))
        return false;
    return seat->lane != -1 || json_fail(&lane, "the number of a lane", err);
}

bool seat_parse(struct str json, struct seat *ret_seat, struct err *err)
{
    struct seat seat = {0};
    struct json_place root;
    json_t *document = NULL;
    bool ok;

    if (!json_read(json, &document, err))
        return false;
    root = json_root(document);
    ok = read_seat(&root, &seat, err);
    if (ok)
        *ret_seat = seat;
    else
        seat_done(&seat);
    json_decref(document);
    return ok;
}

static struct str text_of(const struct json_place *place)
{
    return str_make(json_string_value(place->value), json_string_length(place->value));
}

static bool check_not_blank(const struct json_place *object, const char *key,
                            struct err *err)
{
    struct json_place place = json_member(object, key);

    return str_trim(text_of(&place)).len > 0
           || json_fail(&place, "a text that is not blank", err);
}

/* Letters of ASCII only: other scripts' cases differ by language. */
static bool same_name(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.at[i];
        char y = b.at[i];

        if (x >= 'A' && x <= 'Z')
            x = (char)(x - 'A' + 'a');
        if (y >= 'A' && y <= 'Z')
            y = (char)(y - 'A' + 'a');
        if (x != y)
            return false;
    }
    return true;
}

static size_t count_letters(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.at[i] & 0xC0) != 0x80;
    return count;
}

/* Names become labels in prompts and on screens: one short line, nothing hidden. */
static bool check_name(const struct json_place *place, struct err *err)
{
    struct str name = str_trim(text_of(place));
    struct buf harmless;
    bool is_plain;

    if (name.len == 0)
        return json_fail(place, "a name", err);
    if (count_letters(name) > NAME_LETTERS_MAX)
        return json_fail(place, "a name of at most 80 characters", err);
    buf_init(&harmless, 16 * name.len);
    is_plain =
        utf8_harmless(name, false, &harmless) && str_eq(name, buf_str(&harmless));
    buf_done(&harmless);
    return is_plain
           || json_fail(place, "a name without control or invisible characters", err);
}

static bool check_names(const struct json_place *personas, struct err *err)
{
    for (size_t i = 0; i < json_array_size(personas->value); i++) {
        struct json_place item = json_item(personas, i);
        struct json_place name = json_member(&item, "name");

        if (!check_name(&name, err))
            return false;
        for (size_t before = 0; before < i; before++) {
            struct json_place other_item = json_item(personas, before);
            struct json_place other = json_member(&other_item, "name");

            if (same_name(str_trim(text_of(&name)), str_trim(text_of(&other))))
                return json_fail(&name, "a name that no other persona has", err);
        }
    }
    return true;
}

static void trim_name(struct persona *persona)
{
    struct str name = str_trim(str_of(persona->name));
    char *trimmed = x_memdup(name.at, name.len);

    free(persona->name);
    persona->name = trimmed;
}

/* The personas of a checked array, in memory of the caller (persona_done each, free).
 */
static bool read_personas(const struct json_place *array, struct persona **ret_personas,
                          struct err *err)
{
    size_t count = json_array_size(array->value);
    struct persona *personas = x_calloc(count, sizeof *personas);

    for (size_t i = 0; i < count; i++) {
        struct json_place item = json_item(array, i);

        if (!persona_read(&item, &personas[i], err)) {
            while (i > 0)
                persona_done(&personas[--i]);
            free(personas);
            return false;
        }
        trim_name(&personas[i]);
    }
    *ret_personas = personas;
    return true;
}

static void seats_make(struct cast *cast, size_t count)
{
    cast->seats = x_calloc(count, sizeof *cast->seats);
    cast->seat_count = count;
    for (size_t i = 0; i < count; i++) {
        seat_init(&cast->seats[i]);
        cast->seats[i].lane = (int64_t)i + 1;
    }
}

/* Gives each seat its persona; seats that are there keep their drivers and models. */
static bool take_personas(const struct json_place *array, struct cast *cast,
                          struct err *err)
{
    size_t count = json_array_size(array->value);
    struct persona *personas = NULL;

    if (!check_names(array, err) || !read_personas(array, &personas, err))
        return false;
    if (cast->seats == NULL)
        seats_make(cast, count);
    assert(cast->seat_count == count);
    for (size_t i = 0; i < count; i++) {
        persona_done(&cast->seats[i].persona);
        cast->seats[i].persona = personas[i];
    }
    free(personas);
    return true;
}

/* How the personas of a story file are to be asked. */
static bool take_marks(const struct json_place *array, struct cast *cast,
                       struct err *err)
{
    for (size_t i = 0; i < cast->seat_count; i++) {
        struct json_place item = json_item(array, i);

        if (!read_marks(&item, &cast->seats[i], err))
            return false;
    }
    return true;
}

static bool take_story(const struct json_place *root, struct story *ret_story,
                       struct err *err)
{
    return check_not_blank(root, "setting", err)
           && check_not_blank(root, "initial_situation", err)
           && story_read(root, ret_story, err);
}

/* Reads a document and holds it to a schema; the caller owns it (json_decref). */
static bool read_checked(struct str json, const char *schema, json_t **ret_document,
                         struct err *err)
{
    json_t *document = NULL;

    if (!json_read(json, &document, err))
        return false;
    if (!schema_check(schema_get(schema), document, err)) {
        json_decref(document);
        return false;
    }
    *ret_document = document;
    return true;
}

/* The same of what a model said: the document in it. */
static bool read_said(struct str reply, const char *schema, json_t **ret_document,
                      struct err *err)
{
    struct buf scratch;
    bool ok;

    buf_init(&scratch, SAID_MAX_BYTES);
    ok = read_checked(document_of(reply, &scratch), schema, ret_document, err);
    buf_done(&scratch);
    return ok;
}

static bool file_error(struct err *err)
{
    if (err != NULL)
        err->code = ERR_USAGE;
    return false;
}

bool cast_parse_story_file(struct str json, struct cast *ret_cast, struct err *err)
{
    struct cast cast = {0};
    struct json_place root;
    struct json_place personas;
    json_t *document = NULL;
    bool ok;

    if (!read_checked(json, "story_file", &document, err))
        return file_error(err);
    root = json_root(document);
    personas = json_member(&root, "personas");
    ok = take_story(&root, &cast.story, err) && take_personas(&personas, &cast, err)
         && take_marks(&personas, &cast, err);
    if (ok)
        *ret_cast = cast;
    else
        cast_done(&cast);
    json_decref(document);
    return ok || file_error(err);
}

bool story_parse(struct str reply, struct story *ret_story, struct err *err)
{
    struct json_place root;
    json_t *document = NULL;
    bool ok;

    if (!read_said(reply, "story", &document, err))
        return false;
    root = json_root(document);
    ok = take_story(&root, ret_story, err);
    json_decref(document);
    return ok;
}

bool personas_parse(struct str reply, size_t seats, struct cast *cast, struct err *err)
{
    struct json_place root;
    struct json_place personas;
    json_t *document = NULL;
    char expected[32];
    bool ok;

    if (!read_said(reply, "personas", &document, err))
        return false;
    root = json_root(document);
    personas = json_member(&root, "personas");
    fmt_into(expected, sizeof expected, "exactly %zu personas", seats);
    ok = json_array_size(personas.value) == seats ? take_personas(&personas, cast, err)
                                                  : json_fail(&personas, expected, err);
    json_decref(document);
    return ok;
}

bool story_format(const struct story *story, struct buf *into)
{
    buf_add_char(into, '{');
    story_write(into, story);
    buf_add_char(into, '}');
    return !into->overflowed;
}
