/* template.h - fills {names} in a prompt template.
 *
 * "{name}" is replaced by its value; "{{" stands for "{". A line that consists of one
 * placeholder whose value is empty disappears with its line end. Unknown names are
 * told.
 */
#ifndef PARLEY_TEMPLATE_H
#define PARLEY_TEMPLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct template_value {
    const char *name;
    struct str value;
};
/* Adds the filled text to `into`. ERR_FORMAT names an unknown placeholder, ERR_LIMIT
 * a full buffer. Values are not looked into: a "{" in them stays. */
MUST_USE bool template_fill(struct str text, const struct template_value *values,
                            size_t count, struct buf *into, struct err *err);
/* The folder of --prompts is there, or none was given; else ERR_USAGE. */
MUST_USE bool template_folder_check(const char *folder, struct err *err);
/* The template of that name: "<folder>/<file>" when folder is not NULL and has the
 * file, else the built-in one ("worker/prompts/persona.txt"). Caller frees. */
MUST_USE bool template_load(const char *folder, const char *built_in, char **ret_text,
                            struct err *err);

#endif
