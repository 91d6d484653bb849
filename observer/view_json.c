/* view_json.c - see view_json.h. */
#include "view_json.h"

#include "base/utf8.h"
#include "proto/json_write.h"

enum { LINE_MAX_BYTES = 16 << 20, POINT_MAX_BYTES = 32 };

static bool add_count(struct buf *line, const char *name, int64_t value)
{
    return buf_printf(line, ",\"%s\":", name) && json_write_count(line, value);
}

static bool add_text(struct buf *line, const char *name, struct str value)
{
    return buf_printf(line, ",\"%s\":", name) && json_write_string(line, value);
}

static bool add_facts(struct buf *line, const struct talk_facts *facts)
{
    return add_text(line, "state", str_of(facts->state))
           && buf_add_text(line, ",\"reason\":")
           && json_write_text(line, facts->reason[0] == '\0' ? NULL : facts->reason)
           && add_count(line, "turns", facts->turns)
           && add_count(line, "max_turns", facts->max_turns)
           && add_count(line, "tokens", facts->tokens)
           && add_count(line, "started_at_us", facts->started_at_us)
           && add_count(line, "deadline_us", facts->deadline_us)
           && add_count(line, "ended_at_us", facts->ended_at_us)
           && add_count(line, "left_ms", facts->left_ms);
}

static bool add_fields(struct buf *line, const struct sight *sight)
{
    if (sight->turn >= 0 && !add_count(line, "turn", sight->turn))
        return false;
    if (sight->seat >= 0 && !add_count(line, "seat", sight->seat))
        return false;
    if (sight->call.len > 0 && !add_text(line, "call", sight->call))
        return false;
    switch (sight->kind) {
    case SIGHT_BEGIN:
        return add_text(line, "author", sight->author);
    case SIGHT_DELTA:
        return add_text(line, "text", sight->text);
    case SIGHT_END:
        return add_text(line, "outcome", sight->text);
    case SIGHT_WITHDRAWN:
    case SIGHT_UNREADABLE:
        return add_text(line, "reason", sight->text);
    case SIGHT_WAITING:
        return add_text(line, "author", sight->author)
               && add_text(line, "servers", sight->servers)
               && add_text(line, "reason", sight->text);
    case SIGHT_STATE:
        return add_facts(line, sight->facts);
    case SIGHT_STORY:
    case SIGHT_PERSONA:
    case SIGHT_TURN:
    case SIGHT_EVENT:
    case SIGHT_WHISPER:
        return buf_add_text(line, ",\"message\":")
               && buf_add_str(line, sight->document);
    case SIGHT_REWOUND:
    case SIGHT_KIND_COUNT:
        break;
    }
    return true;
}

/* \uXXXX, two of them above U+FFFF (RFC 8259, section 7). */
static bool add_escape(struct buf *into, uint32_t point)
{
    if (point < 0x10000)
        return buf_printf(into, "\\u%04x", (unsigned)point);
    point -= 0x10000;
    return buf_printf(into, "\\u%04x\\u%04x", (unsigned)(0xD800 + (point >> 10)),
                      (unsigned)(0xDC00 + (point & 0x3FF)));
}

static bool is_harmless(struct str piece)
{
    struct buf shown;
    bool same;

    buf_init(&shown, POINT_MAX_BYTES);
    same = utf8_harmless(piece, false, &shown) && str_eq(buf_str(&shown), piece);
    buf_done(&shown);
    return same;
}

/* In a JSON text, raw control characters stand only between the values and all others
 * that do harm only inside strings: so blanks for the first, escapes for the others. */
static bool add_harmless(struct str json, struct buf *into)
{
    while (json.len > 0) {
        uint32_t point = 0;
        unsigned used = utf8_decode(json, &point);
        bool ok;

        if (used == 0) {
            used = 1;
            ok = buf_add_text(into, "\\ufffd");
        } else if (point < 0x20) {
            ok = buf_add_char(into, ' ');
        } else if (point < 0x7F || is_harmless(str_make(json.at, used))) {
            ok = buf_add(into, json.at, used);
        } else {
            ok = add_escape(into, point);
        }
        if (!ok)
            return false;
        json = str_make(json.at + used, json.len - used);
    }
    return true;
}

bool view_json_show(const struct sight *sight, struct buf *into)
{
    struct buf line;
    bool ok;

    buf_init(&line, LINE_MAX_BYTES);
    ok = buf_printf(&line, "{\"event\":\"%s\"", sight_kind_name(sight->kind))
         && add_text(&line, "conversation", str_of(sight->conversation))
         && add_fields(&line, sight) && buf_add_char(&line, '}')
         && add_harmless(buf_str(&line), into) && buf_add_char(into, '\n');
    buf_done(&line);
    return ok;
}
