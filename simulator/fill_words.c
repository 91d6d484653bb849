/* fill_words.c - see fill_words.h. Data only. */
#include "simulator/fill_words.h"

#define LIST(lines)                         \
    {                                       \
        lines, sizeof lines / sizeof *lines \
    }

/* As many first names as a prime, so that strides meet each last name. */
static const char *const names[] = {
    "Ada",    "Bo",       "Clementine", "Dov",     "Esther",  "Fergus", "Greta",
    "Hollis", "Ines",     "Jonah",      "Kirsten", "Leopold", "Mabel",  "Nils",
    "Odile",  "Piotr",    "Quentin",    "Rosa",    "Silas",   "Tova",   "Ursula",
    "Viktor", "Winifred", "Xaver",      "Yusuf",   "Zelda",   "Amparo", "Bertram",
    "Cosima", "Ottoline", "Emeka",
};
static const char *const last_names[] = {
    "Quill",     "Marlow",    "Thistlewood", "Abernathy",   "Brandt",     "Okafor",
    "Lindqvist", "Pemberton", "Castellano",  "Grubb",       "Halloran",   "Ivanova",
    "Juniper",   "Kettering", "Lovelock",    "Moreau",      "Nettleship", "Oakes",
    "Pettigrew", "Rasmussen", "Saltmarsh",   "Tremblay",    "Underhill",  "Vance",
    "Wexford",   "Yarrow",    "Zimmer",      "Bellweather", "Crumb",
};
static const char *const traits[] = {
    "stubborn",  "curious",  "dry-witted",    "tender-hearted", "suspicious",
    "patient",   "vain",     "forgetful",     "meticulous",     "melancholy",
    "reckless",  "polite",   "superstitious", "thrifty",        "loyal",
    "impatient", "dreamy",   "sharp-tongued", "gullible",       "proud",
    "cautious",  "cheerful", "secretive",     "pedantic",       "generous",
    "restless",  "wry",      "sentimental",   "unhurried",      "competitive",
};
static const char *const goals[] = {
    "Prove that {topic} needs {virtue} more than money.",
    "Get the other to admit a mistake about {topic}, just once.",
    "Find out who left {a:thing} {place}, and why.",
    "Leave with a promise in writing and {a:thing}.",
    "Keep {topic} out of the hands of {person}.",
    "Win the argument without raising their voice.",
    "Learn what the other really lost {place}.",
    "Sell the idea of {virtue} at a fair price.",
    "Save {topic} from people who mean well.",
    "Be forgiven for the business with the {things}.",
    "Turn {topic} into something a child could love.",
    "Postpone every decision until {weekday}.",
    "Make one friend before the lamps are put out.",
    "Discover whether {topic} is worth {a:thing}.",
};
static const char *const styles[] = {
    "Short sentences, dry, with an occasional proverb.",
    "Warm and rambling, full of relatives and metaphors.",
    "Precise to the point of rudeness, but never loud.",
    "Answers with questions, and then answers those.",
    "Blunt, practical, allergic to grand words.",
    "Poetic in the evening, suspicious before noon.",
    "Polite, old-fashioned, and quietly merciless.",
    "Jokes when nervous, and is always a little nervous.",
    "Speaks as if dictating a letter to posterity.",
    "Few words, long pauses, perfect timing.",
};
static const char *const settings[] = {
    "The back room of a closed bakery, long past midnight. The oven is still warm, and "
    "on "
    "the wall somebody has written about {topic} in flour.",
    "A night train that has stopped between two stations. Rain on the windows, one "
    "lamp, "
    "and a compartment in which everybody has an opinion about {topic}.",
    "The village hall of Lower Saltmarsh, on the evening of the yearly debate. This "
    "year "
    "the notice on the door says only: {topic}.",
    "A lighthouse in the first storm of October. Two chairs, one kettle, and {a:thing} "
    "on "
    "the table between them.",
    "The waiting room of a ferry that will not sail before dawn. Someone has left "
    "{a:thing} "
    "on the bench, and {topic} in the air.",
    "A museum after closing time, in the hall of things nobody asked for. The guard is "
    "asleep, and {topic} hangs in a crooked frame.",
    "The last open table of a market, {when}, among {things}. All the others have gone "
    "home and left the matter unsettled.",
    "A greenhouse in January, green and dripping. Outside it snows, inside they speak "
    "of "
    "{topic} and wipe their glasses.",
};
static const char *const situations[] = {
    "A letter has arrived, addressed to all of them and signed by nobody. It demands a "
    "decision about {topic} before sunrise.",
    "{a:thing} has vanished, and with it the only proof. Each of them was the last to "
    "see "
    "it, and each of them blames {topic}.",
    "The lights have just gone out. Somebody says, quite calmly, that this is what "
    "comes "
    "of {topic}.",
    "They have been locked in by mistake, with {a:thing} and {number} biscuits. It "
    "seems "
    "as good a moment as any to settle {topic}.",
    "An hour ago they agreed on everything. Then {person} asked one small question "
    "about "
    "{topic}, and left.",
    "A vote has ended in a draw. They have until the kettle boils to change one mind.",
    "One of them has already signed. The others have found out only now, and the ink "
    "is "
    "still wet.",
    "A wager has been made about {topic}, with {a:thing} as the stake. Nobody "
    "remembers "
    "who proposed it.",
};
static const char *const habits[] = {
    "has not slept since the last storm.",
    "collects apologies and lends them out.",
    "once sold {a:thing} twice and regrets only the second time.",
    "knows everything about {topic} except why it matters.",
    "never leaves the house without {a:thing}.",
    "is owed {a:thing} by half the town.",
    "lost a brother to {topic} and will not say how.",
    "keeps {a:animal} and asks its advice.",
    "was right once, {number} years ago, and has lived on it since.",
    "speaks of {topic} only {when}.",
    "has promised {person} to stay out of trouble, and is here.",
    "would give {measure} of {virtue} for a good argument.",
    "believes in {virtue}, but has never been introduced to it.",
    "writes long letters about {topic} and posts them to the sea.",
    "can repair anything but a friendship.",
    "laughs too late at every joke and means it.",
};
static const char *const titles[] = {
    "The {thing} and the {animal}",
    "What {person} never said",
    "{number} {things}",
    "A Short History of {virtue}",
    "The {adj} {thing}",
    "Two Chairs and {a:thing}",
    "On {topic}, with {things}",
    "The Night of the {things}",
};
static const char *const phrases[] = {
    "{a:adj} {thing}",  "{measure} of {virtue}", "{number} {things}",
    "{adj} {things}",   "the {adj} {animal}",    "{things} {place}",
    "{a:thing} {when}", "{virtue}, mostly",
};
static const char *const places[] = {
    "Lower Saltmarsh", "Port Amity",      "Brindle Cross", "Nine Elms",
    "Gullhaven",       "Upper Quarrel",   "Fogwick",       "Candlebury",
    "Three Bridges",   "Little Doubting",
};
static const char *const countries[] = {
    "Norway",  "Portugal", "Japan",  "Ghana",   "Chile",
    "Ireland", "Iceland",  "Canada", "Morocco", "New Zealand",
};
static const char *const languages[] = {
    "English",  "French", "Portuguese", "Yoruba", "Welsh",
    "Japanese", "Danish", "Basque",     "Arabic", "Maori",
};
static const char *const colours[] = {
    "teal", "amber", "oxblood", "moss green", "slate", "ivory", "rust", "midnight blue",
};
static const char *const moods[] = {
    "wistful",   "hopeful", "uneasy",  "amused",
    "indignant", "serene",  "curious", "grumpy",
};
static const char *const animals[] = {
    "heron",  "badger",   "moth",      "goat",  "crab",
    "pigeon", "hedgehog", "carthorse", "snail",
};

const struct pool fill_names = LIST(names);
const struct pool fill_last_names = LIST(last_names);
const struct pool fill_traits = LIST(traits);
const struct pool fill_goals = LIST(goals);
const struct pool fill_styles = LIST(styles);
const struct pool fill_settings = LIST(settings);
const struct pool fill_situations = LIST(situations);
const struct pool fill_habits = LIST(habits);
const struct pool fill_titles = LIST(titles);
const struct pool fill_phrases = LIST(phrases);
const struct pool fill_places = LIST(places);
const struct pool fill_countries = LIST(countries);
const struct pool fill_languages = LIST(languages);
const struct pool fill_colours = LIST(colours);
const struct pool fill_moods = LIST(moods);
const struct pool fill_animals = LIST(animals);
