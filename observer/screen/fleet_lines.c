/* fleet_lines.c - see fleet_lines.h. */
#include "observer/screen/fleet_lines.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { CELL_SIZE = 32, GAP = 1, CLOCK_AT = 11, CLOCK_LETTERS = 8 };

/* ---- the list ---- */

static void add(struct fleet_lines *lines, enum fleet_line_kind kind, uint64_t number,
                const char *text)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity == 0 ? 64 : lines->capacity * 2;
        lines->at = x_realloc(lines->at, lines->capacity * sizeof *lines->at);
    }
    lines->at[lines->count++] = (struct fleet_line){kind, number, text};
}

static void add_part(struct fleet_lines *lines, enum fleet_line_kind kind, size_t count,
                     size_t beyond, const char *none)
{
    for (size_t i = 0; i < count; i++)
        add(lines, kind, i, NULL);
    if (count == 0)
        add(lines, FLEET_LINE_NOTE, 0, none);
    else if (beyond > 0)
        add(lines, FLEET_LINE_NOTE, beyond, "more are not shown");
}

static bool holds(const char *text, struct str part)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + part.len <= len; i++)
        if (strncasecmp(text + i, part.at, part.len) == 0)
            return true;
    return false;
}

static bool passes(const struct fleet_event *event, struct str filter, bool inverse)
{
    if (filter.len == 0)
        return true;
    return (holds(event->event, filter) || holds(event->conversation, filter)
            || holds(event->state, filter) || holds(event->reason, filter))
           != inverse;
}

static void add_events(struct fleet_lines *lines, const struct fleet *fleet,
                       struct str filter, bool inverse)
{
    uint64_t first;
    uint64_t end;
    size_t before = lines->count;

    fleet_event_range(fleet, &first, &end);
    for (uint64_t number = end; number > first; number--)
        if (passes(fleet_event_at(fleet, number - 1), filter, inverse))
            add(lines, FLEET_LINE_EVENT, number - 1, NULL);
    if (lines->count == before)
        add(lines, FLEET_LINE_NOTE, 0,
            filter.len > 0 ? "none passes the filter" : "none yet");
}

static const char *none(const struct fleet *fleet, enum fleet_part part,
                        const char *words)
{
    if (fleet_told(fleet, part))
        return words;
    return fleet_totals(fleet)->recorded ? "a record does not tell" : "reading";
}

void fleet_lines_make(struct fleet_lines *lines, const struct fleet *fleet,
                      struct str filter, bool inverse)
{
    size_t count;
    size_t beyond;

    lines->count = 0;
    (void)fleet_members(fleet, &count, &beyond);
    add(lines, FLEET_LINE_HEAD, 0,
        "MEMBER           STATE     LANE  BUSY   TURNS   T/S  FOR HEARD  HOST AND PID");
    add_part(lines, FLEET_LINE_MEMBER, count, beyond,
             none(fleet, FLEET_PART_MEMBERS, "nobody is at work"));
    (void)fleet_servers(fleet, &count, &beyond);
    add(lines, FLEET_LINE_HEAD, 0,
        "MODEL SERVER     TIER  STATE  BUSY/WINDOW  WAITS  FAILED  TTFT MS  WHY");
    add_part(lines, FLEET_LINE_SERVER, count, beyond,
             none(fleet, FLEET_PART_SERVERS, "none was called yet"));
    (void)fleet_lanes(fleet, &count);
    add(lines, FLEET_LINE_HEAD, 0, "LANE  WAITING  PENDING  OLDEST  WORKERS");
    add_part(lines, FLEET_LINE_LANE, count, 0,
             none(fleet, FLEET_PART_LANES, "none is served"));
    (void)fleet_dead_turns(fleet, &count, &beyond);
    add(lines, FLEET_LINE_HEAD, 0,
        "TURN GIVEN UP           CONVERSATION          TURN SEAT TRIED  AGO  WHY");
    add_part(lines, FLEET_LINE_DEAD, count, beyond,
             none(fleet, FLEET_PART_DEAD, "none"));
    add(lines, FLEET_LINE_HEAD, 0, "EVENTS, NEWEST FIRST");
    add_events(lines, fleet, filter, inverse);
}

void fleet_lines_done(struct fleet_lines *lines)
{
    free(lines->at);
    *lines = (struct fleet_lines){0};
}

bool fleet_line_selectable(const struct fleet_line *line)
{
    return line->kind > FLEET_LINE_NOTE;
}

void fleet_line_key(const struct fleet_line *line, const struct fleet *fleet,
                    char ret_key[FLEET_KEY_SIZE])
{
    size_t count;
    size_t beyond;

    ret_key[0] = '\0';
    switch (line->kind) {
    case FLEET_LINE_MEMBER:
        fmt_into(ret_key, FLEET_KEY_SIZE, "member %s",
                 fleet_members(fleet, &count, &beyond)[line->number].name);
        break;
    case FLEET_LINE_SERVER:
        fmt_into(ret_key, FLEET_KEY_SIZE, "server %s",
                 fleet_servers(fleet, &count, &beyond)[line->number].name);
        break;
    case FLEET_LINE_LANE:
        fmt_into(ret_key, FLEET_KEY_SIZE, "lane %" PRId64,
                 fleet_lanes(fleet, &count)[line->number].lane);
        break;
    case FLEET_LINE_DEAD:
        fmt_into(ret_key, FLEET_KEY_SIZE, "dead %s",
                 fleet_dead_turns(fleet, &count, &beyond)[line->number].record);
        break;
    case FLEET_LINE_EVENT:
        fmt_into(ret_key, FLEET_KEY_SIZE, "event %" PRIu64, line->number);
        break;
    default:
        break;
    }
}

/* ---- cells ---- */

const char *fleet_age(int64_t us, char *ret_text)
{
    int64_t seconds = us / 1000000;

    if (us < 0)
        fmt_into(ret_text, CELL_SIZE, "-");
    else if (seconds < 100)
        fmt_into(ret_text, CELL_SIZE, "%" PRId64 "s", seconds);
    else if (seconds < 6000)
        fmt_into(ret_text, CELL_SIZE, "%" PRId64 "m", seconds / 60);
    else if (seconds < 172800)
        fmt_into(ret_text, CELL_SIZE, "%" PRId64 "h", seconds / 3600);
    else
        fmt_into(ret_text, CELL_SIZE, "%" PRId64 "d", seconds / 86400);
    return ret_text;
}

const char *fleet_bytes(int64_t bytes, char *ret_text)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes;
    size_t unit = 0;

    while (size >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        size /= 1024;
        unit++;
    }
    if (bytes < 0)
        fmt_into(ret_text, CELL_SIZE, "-");
    else
        fmt_into(ret_text, CELL_SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", size,
                 units[unit]);
    return ret_text;
}

static const char *age(int64_t from_us, int64_t now_us, char *text)
{
    int64_t us = now_us - from_us;

    /* A clock that was aligned anew may lie a hair behind a stamp. */
    return fleet_age(from_us < 0 ? -1 : us < 0 ? 0 : us, text);
}

/* A row being drawn: where the next cell begins. */
struct cells {
    struct canvas *canvas;
    struct area row;
    unsigned at; /* columns used */
};

static unsigned left_of(const struct cells *cells)
{
    return cells->row.cols > cells->at ? cells->row.cols - cells->at : 0;
}

static unsigned clip(const struct cells *cells, unsigned width)
{
    return width < left_of(cells) ? width : left_of(cells);
}

static void put(struct cells *cells, unsigned width, enum pen pen, const char *text)
{
    (void)canvas_put_cut(cells->canvas, cells->row.row, cells->row.col + cells->at,
                         clip(cells, width), pen, str_of(text));
    cells->at += width + GAP;
}

static void put_right(struct cells *cells, unsigned width, enum pen pen,
                      const char *text)
{
    (void)canvas_put_right(cells->canvas, cells->row.row, cells->row.col + cells->at,
                           clip(cells, width), pen, str_of(text));
    cells->at += width + GAP;
}

static void put_count(struct cells *cells, unsigned width, enum pen pen, int64_t count)
{
    char text[CELL_SIZE] = "-";

    if (count >= 0)
        fmt_into(text, sizeof text, "%" PRId64, count);
    put_right(cells, width, pen, text);
}

static void put_number(struct cells *cells, unsigned width, int decimals, double number)
{
    char text[CELL_SIZE] = "-";

    if (isfinite(number))
        (void)snprintf(text, sizeof text, "%.*f", decimals, number); /* cut if large */
    put_right(cells, width, PEN_TEXT, text);
}

/* "3/8", "3" without a limit. */
static void put_of(struct cells *cells, unsigned width, int64_t count, int64_t limit)
{
    char text[2 * CELL_SIZE] = "-";

    if (count >= 0 && limit > 0)
        fmt_into(text, sizeof text, "%" PRId64 "/%" PRId64, count, limit);
    else if (count >= 0)
        fmt_into(text, sizeof text, "%" PRId64, count);
    put_right(cells, width, PEN_TEXT, text);
}

static void put_rest(struct cells *cells, enum pen pen, const char *text)
{
    put(cells, left_of(cells), pen, text);
}

/* ---- lines ---- */

static void draw_member(struct cells *cells, const struct fleet_member *member,
                        int64_t now_us)
{
    bool silent = fleet_member_silent(member, now_us);
    bool stated = member->state[0] != '\0';
    char text[CELL_SIZE];
    char where[FLEET_NAME_SIZE + CELL_SIZE];

    put(cells, 16, silent ? PEN_BAD : PEN_TEXT, member->name);
    if (silent)
        put(cells, 9, PEN_BAD, "silent");
    else
        put(cells, 9, stated ? PEN_GOOD : PEN_DIM, stated ? member->state : "-");
    put_count(cells, 4, PEN_TEXT, member->lane);
    put_of(cells, 5, member->busy, member->slots);
    put_count(cells, 7, PEN_TEXT, member->turns);
    put_number(cells, 5, 1, member->turns_per_second);
    put_right(cells, 4, PEN_DIM, age(stated ? member->since_us : -1, now_us, text));
    put_right(cells, 5, silent ? PEN_BAD : PEN_DIM,
              age(member->heard_us, now_us, text));
    cells->at += GAP;
    fmt_into(text, sizeof text, "%" PRId64, member->pid);
    fmt_into(where, sizeof where, "%s %s", member->host, member->pid < 0 ? "-" : text);
    put_rest(cells, PEN_DIM, where);
}

static void put_breaker(struct cells *cells, const char *breaker)
{
    if (strcmp(breaker, "open") == 0)
        put(cells, 6, PEN_BAD, "down");
    else if (strcmp(breaker, "half") == 0)
        put(cells, 6, PEN_WARN, "tried");
    else if (breaker[0] == '\0')
        put(cells, 6, PEN_DIM, "-");
    else
        put(cells, 6, PEN_GOOD, "up");
}

static void draw_server(struct cells *cells, const struct fleet_server *server,
                        int64_t now_us)
{
    bool open = strcmp(server->breaker, "open") == 0;
    bool half = strcmp(server->breaker, "half") == 0;
    char why[FLEET_TEXT_SIZE + FLEET_WORD_SIZE + 2 * CELL_SIZE] = "";
    char text[CELL_SIZE];

    put(cells, 16, open ? PEN_BAD : PEN_TEXT, server->name);
    put(cells, 5, PEN_DIM, server->tier[0] == '\0' ? "-" : server->tier);
    put_breaker(cells, server->breaker);
    put_of(cells, 11, server->held, server->window);
    put_count(cells, 6, server->waiting > 0 ? PEN_WARN : PEN_TEXT, server->waiting);
    put_count(cells, 7, server->failed > 0 ? PEN_WARN : PEN_TEXT, server->failed);
    put_number(cells, 8, 0, server->first_token_ms);
    cells->at += GAP;
    if ((open || half) && server->retry_us > now_us)
        fmt_into(why, sizeof why, "%s; tried again in %s", server->why,
                 fleet_age(server->retry_us - now_us, text));
    else if (open || half)
        fmt_into(why, sizeof why, "%s", server->why);
    else if (server->error[0] != '\0')
        fmt_into(why, sizeof why, "last failure: %s", server->error);
    put_rest(cells, open ? PEN_BAD : PEN_DIM, why);
}

static void draw_lane(struct cells *cells, const struct fleet_lane *lane,
                      int64_t workers, int64_t now_us)
{
    char text[CELL_SIZE];

    put_count(cells, 4, PEN_TEXT, lane->lane);
    put_count(cells, 8, lane->unread > 0 ? PEN_WARN : PEN_TEXT, lane->unread);
    put_count(cells, 8, PEN_TEXT, lane->pending);
    put_right(cells, 7, PEN_TEXT, age(lane->oldest_us, now_us, text));
    put_count(cells, 8, workers == 0 ? PEN_BAD : PEN_TEXT, workers);
    if (workers == 0)
        put_rest(cells, PEN_BAD, " nobody serves it");
}

static void draw_dead(struct cells *cells, const struct fleet_dead *dead,
                      int64_t now_us)
{
    char text[CELL_SIZE];

    put(cells, 23, PEN_BAD, dead->record);
    put(cells, 20, PEN_TEXT, dead->conversation);
    put_count(cells, 5, PEN_TEXT, dead->turn);
    put_count(cells, 4, PEN_TEXT, dead->seat);
    put_count(cells, 5, PEN_TEXT, dead->deliveries);
    put_right(cells, 4, PEN_DIM, age(dead->at_us, now_us, text));
    cells->at += GAP;
    put_rest(cells, PEN_TEXT, dead->why);
}

static enum pen pen_of(const struct fleet_event *event)
{
    if (strcmp(event->reason, "failed") == 0 || strstr(event->event, "lost") != NULL)
        return PEN_BAD;
    if (strncmp(event->event, "dialogue.", sizeof "dialogue." - 1) != 0)
        return PEN_WARN;
    return PEN_TEXT;
}

/* The time of day, UTC as all that is stored. */
static void draw_event(struct cells *cells, const struct fleet_event *event)
{
    char clock[CLOCK_TEXT_SIZE] = "";
    char text[CELL_SIZE] = "";

    if (event->at_us >= 0) {
        clock_format_us(event->at_us, clock);
        (void)snprintf(text, sizeof text, "%.*s", CLOCK_LETTERS, clock + CLOCK_AT);
    }
    put(cells, CLOCK_LETTERS, PEN_DIM, text);
    put(cells, 18, pen_of(event), event->event);
    put(cells, 20, PEN_TEXT, event->conversation);
    put_count(cells, 5, PEN_TEXT, event->turn);
    put(cells, 10, PEN_DIM, event->state);
    put_rest(cells, pen_of(event), event->reason);
}

static void draw_note(struct cells *cells, const struct fleet_line *line)
{
    char text[CELL_SIZE];

    cells->at = 2;
    if (line->number > 0) {
        fmt_into(text, sizeof text, "%" PRIu64, line->number);
        cells->at += canvas_put(cells->canvas, cells->row.row, cells->row.col + 2,
                                clip(cells, sizeof text), PEN_DIM, str_of(text))
                     + GAP;
    }
    put_rest(cells, PEN_DIM, line->text);
}

void fleet_line_draw(const struct fleet_line *line, const struct fleet *fleet,
                     struct canvas *canvas, struct area row, int64_t now_us)
{
    struct cells cells = {canvas, row, 0};
    const struct fleet_lane *lane;
    size_t count;
    size_t beyond;

    switch (line->kind) {
    case FLEET_LINE_HEAD:
        put_rest(&cells, PEN_HEAD, line->text);
        break;
    case FLEET_LINE_NOTE:
        draw_note(&cells, line);
        break;
    case FLEET_LINE_MEMBER:
        draw_member(&cells, &fleet_members(fleet, &count, &beyond)[line->number],
                    now_us);
        break;
    case FLEET_LINE_SERVER:
        draw_server(&cells, &fleet_servers(fleet, &count, &beyond)[line->number],
                    now_us);
        break;
    case FLEET_LINE_LANE:
        lane = &fleet_lanes(fleet, &count)[line->number];
        draw_lane(&cells, lane, fleet_lane_workers(fleet, lane->lane, now_us), now_us);
        break;
    case FLEET_LINE_DEAD:
        draw_dead(&cells, &fleet_dead_turns(fleet, &count, &beyond)[line->number],
                  now_us);
        break;
    case FLEET_LINE_EVENT:
        draw_event(&cells, fleet_event_at(fleet, line->number));
        break;
    case FLEET_LINE_KIND_COUNT:
        assert(false);
    }
}
