/* cast_json.c - see cast_json.h. */
#include "proto/cast_json.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "proto/cast.h"
#include "proto/json_write.h"

static void write_member(struct buf *into, const char *start, const char *text)
{
    buf_add_text(into, start);
    json_write_text(into, text == NULL ? "" : text);
}

bool story_write(struct buf *into, const struct story *story)
{
    write_member(into, "\"setting\":", story->setting);
    buf_add_text(into, ",\"characters\":[");
    for (size_t i = 0; i < story->character_count; i++) {
        const struct character *character = &story->characters[i];

        write_member(into, i > 0 ? ",{\"name\":" : "{\"name\":", character->name);
        write_member(into, ",\"description\":", character->description);
        buf_add_char(into, '}');
    }
    write_member(into, "],\"initial_situation\":", story->initial_situation);
    return !into->overflowed;
}

bool persona_write(struct buf *into, const struct persona *persona)
{
    write_member(into, "\"name\":", persona->name);
    write_member(into, ",\"role\":", persona->role);
    buf_add_text(into, ",\"traits\":[");
    for (size_t i = 0; i < persona->trait_count; i++)
        write_member(into, i > 0 ? "," : "", persona->traits[i]);
    write_member(into, "],\"goal\":", persona->goal);
    write_member(into, ",\"style\":", persona->style);
    return !into->overflowed;
}

static bool read_character(const struct json_place *object, struct character *character,
                           struct err *err)
{
    return json_get_text(json_member(object, "name"), &character->name, err)
           && json_get_text(json_member(object, "description"), &character->description,
                            err);
}

/* Into a story that story_done can free, however far it came. */
static bool read_characters(const struct json_place *array, struct story *story,
                            struct err *err)
{
    size_t count = json_array_size(array->value);

    if (!json_is_array(array->value))
        return json_fail(array, "an array", err);
    if (count == 0)
        return true;
    story->characters = x_calloc(count, sizeof *story->characters);
    story->character_count = count;
    for (size_t i = 0; i < count; i++) {
        struct json_place item = json_item(array, i);

        if (!read_character(&item, &story->characters[i], err))
            return false;
    }
    return true;
}

bool story_read(const struct json_place *object, struct story *ret_story,
                struct err *err)
{
    struct story story = {0};
    struct json_place characters = json_member(object, "characters");

    if (!json_get_text(json_member(object, "setting"), &story.setting, err)
        || !read_characters(&characters, &story, err)
        || !json_get_text(json_member(object, "initial_situation"),
                          &story.initial_situation, err)) {
        story_done(&story);
        return false;
    }
    *ret_story = story;
    return true;
}

bool persona_read(const struct json_place *object, struct persona *ret_persona,
                  struct err *err)
{
    struct persona persona = {0};

    if (!json_get_text(json_member(object, "name"), &persona.name, err)
        || !json_get_text(json_member(object, "role"), &persona.role, err)
        || !json_get_texts(json_member(object, "traits"), &persona.traits,
                           &persona.trait_count, err)
        || !json_get_text(json_member(object, "goal"), &persona.goal, err)
        || !json_get_text(json_member(object, "style"), &persona.style, err)) {
        persona_done(&persona);
        return false;
    }
    *ret_persona = persona;
    return true;
}
