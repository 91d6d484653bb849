/* talk_words.c - lists of words that slots draw from. Data only. */
#include "simulator/talk_lists.h"

#define LIST(lines)                         \
    {                                       \
        lines, sizeof lines / sizeof *lines \
    }

static const char *const thing[] = {
    "teapot",
    "ladder",
    "brass button",
    "borrowed violin",
    "cracked bell",
    "wet umbrella",
    "jar of buttons",
    "left boot",
    "paper lantern",
    "wooden spoon",
    "stuffed heron",
    "folding chair",
    "rusty key",
    "weather vane",
    "birthday cake",
    "sealed letter",
    "garden gate",
    "music box",
    "second-hand compass",
    "candle stub",
    "ship in a bottle",
    "tin whistle",
    "cuckoo clock",
    "wheelbarrow",
    "glass marble",
    "door without a house",
    "empty birdcage",
    "pocket map",
    "loose floorboard",
    "bicycle with one wheel",
};
static const char *const things[] = {
    "spoons",         "ladders",          "umbrellas",        "old maps",
    "teacups",        "unpaid bills",     "borrowed books",   "pigeons",
    "pocket watches", "apologies",        "left-hand gloves", "candle ends",
    "lost hats",      "unopened letters", "garden chairs",    "small bells",
    "wrong turnings", "rain barrels",     "goose feathers",   "half-finished songs",
};
static const char *const place[] = {
    "under the stairs",
    "behind the bakery",
    "at the end of the pier",
    "in the attic",
    "on the night train",
    "by the frozen pond",
    "in my grandmother's kitchen",
    "at the ferry landing",
    "on the roof",
    "in the back room of the post office",
    "between two market stalls",
    "at the foot of the bell tower",
    "in a field of turnips",
    "below the waterline",
    "at the very last bus stop",
    "in somebody else's coat pocket",
};
static const char *const when[] = {
    "before breakfast",      "on a Tuesday",
    "after the rain",        "at low tide",
    "shortly past midnight", "in the second week of March",
    "on the longest day",    "when the kettle boils",
    "during the interval",   "once the guests have left",
    "just before the bells", "in the hour nobody counts",
};
static const char *const person[] = {
    "my aunt",
    "a ferryman I knew",
    "the postman",
    "my old teacher",
    "a retired diver",
    "the baker's youngest",
    "a stranger on a train",
    "my first employer",
    "the woman who repaired our organ",
    "a very tired judge",
    "the night porter",
    "my twin cousin",
    "a hat maker from the coast",
    "our village's only dentist",
    "an honest auctioneer",
    "the man with the parrot",
};
static const char *const act[] = {
    "paint it blue",
    "ask the geese",
    "write it on the ceiling",
    "bury it in honey",
    "hold a vote among the teacups",
    "read it aloud to a horse",
    "weigh it twice",
    "leave it out in the rain",
    "teach it to whistle",
    "post it to ourselves",
    "hang it upside down",
    "lend it to the neighbours",
    "set it to music",
    "sleep on it, literally",
    "explain it to a child",
    "fold it into a paper boat",
    "walk around it backwards",
    "give it a name and a birthday",
    "wait until it gets bored",
    "pay it a small wage",
};
static const char *const adj[] = {
    "stubborn",   "narrow",  "brilliant",  "slippery",    "generous",
    "lopsided",   "brave",   "drowsy",     "well-ironed", "suspicious",
    "honest",     "moonlit", "draughty",   "tender",      "overdue",
    "ridiculous", "sturdy",  "half-baked", "elegant",     "thirsty",
};
static const char *const virtue[] = {
    "patience", "doubt",        "good manners", "curiosity",     "mercy",
    "thrift",   "courage",      "punctuality",  "forgetfulness", "tenderness",
    "mischief", "common sense", "silence",      "stubbornness",  "a good night's sleep",
    "humility",
};
static const char *const measure[] = {
    "a thimble",     "three buckets",  "half a pound",          "a spoonful",
    "one long mile", "a whole winter", "two and a half inches", "an acre",
    "a pinch",       "seven barrels",
};
static const char *const animal[] = {
    "goose",  "heron",   "badger",   "moth",      "goat",  "crab",
    "pigeon", "old dog", "hedgehog", "carthorse", "snail", "jackdaw",
};
static const char *const weekday[] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
};
static const char *const number[] = {
    "three", "four", "seven", "nine", "eleven", "nineteen", "forty",
};

const struct word_list talk_word_lists[] = {
    {"thing", LIST(thing)},   {"things", LIST(things)},   {"place", LIST(place)},
    {"when", LIST(when)},     {"person", LIST(person)},   {"act", LIST(act)},
    {"adj", LIST(adj)},       {"virtue", LIST(virtue)},   {"measure", LIST(measure)},
    {"animal", LIST(animal)}, {"weekday", LIST(weekday)}, {"number", LIST(number)},
};
const size_t talk_word_list_count = sizeof talk_word_lists / sizeof *talk_word_lists;
