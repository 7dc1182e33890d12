#include "cmd/protect_config.h"

#include "cmd/published.h"
#include "cmd/value.h"
#include "protect/infrastructure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LIST_MAX = 256, KEY_LINE_MAX = 1024 };

/* ---- the schema ---- */

#define TEXT(key, type) CYAML_FIELD_STRING_PTR(#key, MAYBE_PTR, type, key, 0, CYAML_UNLIMITED)
#define NEEDED_TEXT(key, type) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER, type, key, 1, CYAML_UNLIMITED)
#define TEXTS(key, type) CYAML_FIELD_SEQUENCE(#key, MAYBE_PTR, type, key, &text_value, 0, LIST_MAX)

static const cyaml_schema_value_t text_value = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED) };

static const cyaml_schema_field_t approve_fields[] = {
    TEXT(level, struct file_approve),
    TEXTS(not, struct file_approve),
    CYAML_FIELD_UINT_PTR("clients", MAYBE_PTR, struct file_approve, clients),
    CYAML_FIELD_UINT_PTR("per_day", MAYBE_PTR, struct file_approve, per_day),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t jump_fields[] = {
    CYAML_FIELD_FLOAT_PTR("add", MAYBE_PTR, struct file_jump, add),
    CYAML_FIELD_FLOAT_PTR("drop", MAYBE_PTR, struct file_jump, drop),
    CYAML_FIELD_UINT_PTR("least", MAYBE_PTR, struct file_jump, least),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t top_list_fields[] = {
    TEXT(file, struct file_top_list),
    CYAML_FIELD_UINT_PTR("first", MAYBE_PTR, struct file_top_list, first),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t action_fields[] = {
    NEEDED_TEXT(category, struct protection_action),
    NEEDED_TEXT(action, struct protection_action),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t action_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct protection_action, action_fields)
};
static const cyaml_schema_field_t view_fields[] = {
    NEEDED_TEXT(zone, struct file_view),
    TEXT(level, struct file_view),
    TEXT(action, struct file_view),
    TEXTS(categories, struct file_view),
    TEXTS(stages, struct file_view),
    CYAML_FIELD_SEQUENCE("actions", MAYBE_PTR, struct file_view, actions, &action_value, 0, LIST_MAX),
    CYAML_FIELD_UINT_PTR("ttl", MAYBE_PTR, struct file_view, ttl),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t view_value = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_view, view_fields) };
static const cyaml_schema_field_t peer_fields[] = {
    NEEDED_TEXT(address, struct protection_peer),
    TEXT(key, struct protection_peer),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t peer_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct protection_peer, peer_fields)
};
static const cyaml_schema_field_t server_fields[] = {
    TEXTS(listen, struct file_server),
    CYAML_FIELD_SEQUENCE("secondaries", MAYBE_PTR, struct file_server, secondaries, &peer_value, 0, LIST_MAX),
    CYAML_FIELD_SEQUENCE("allow", MAYBE_PTR, struct file_server, allow, &peer_value, 0, LIST_MAX),
    TEXT(keys, struct file_server),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t feeds_fields[] = {
    TEXT(dir, struct file_feeds),
    TEXT(listen, struct file_feeds),
    TEXTS(formats, struct file_feeds),
    CYAML_FIELD_END,
};
const cyaml_schema_field_t protect_config_fields[] = {
    CYAML_FIELD_MAPPING("approve", MAYBE, struct file_protect, approve, approve_fields),
    TEXT(shadow, struct file_protect),
    CYAML_FIELD_MAPPING("jump", MAYBE, struct file_protect, jump, jump_fields),
    CYAML_FIELD_MAPPING("top_list", MAYBE, struct file_protect, top_list, top_list_fields),
    CYAML_FIELD_UINT_PTR("infrastructure", MAYBE_PTR, struct file_protect, infrastructure),
    CYAML_FIELD_SEQUENCE("views", MAYBE_PTR, struct file_protect, views, &view_value, 0, LIST_MAX),
    CYAML_FIELD_MAPPING("server", MAYBE, struct file_protect, server, server_fields),
    CYAML_FIELD_MAPPING("feeds", MAYBE, struct file_protect, feeds, feeds_fields),
    CYAML_FIELD_END,
};

/* ---- values ---- */

/* The file at hand, and the first thing that is wrong with it. */
struct applying {
    const char *path;
    struct fault *why;
    int rc;
};

static void wrong(struct applying *a, const char *key, const char *value, const char *wanted)
{
    if (a->rc == 0)
        a->rc = fault_set(a->why, E_MALFORMED, "%s:%u: %s: '%s' is not %s", a->path, yamlfile_line(a->path, key, value), key, value, wanted);
}

static char *copy(struct applying *a, const char *text)
{
    char *to = text != NULL ? strdup(text) : NULL;
    if (text != NULL && to == NULL && a->rc == 0)
        a->rc = fault_set(a->why, E_NOMEM, "out of memory");
    return to;
}

static void set_text(struct applying *a, char **to, const char *text)
{
    if (text == NULL)
        return;
    free(*to);
    *to = copy(a, text);
}

/* `n` zeroed items of `size`; *ret_n says how many there are to be released. */
static void *new_list(struct applying *a, unsigned n, size_t size, unsigned *ret_n)
{
    void *list = n ? calloc(n, size) : NULL;
    if (n && list == NULL && a->rc == 0)
        a->rc = fault_set(a->why, E_NOMEM, "out of memory");
    *ret_n = list ? n : 0;
    return list;
}

static void set_texts(struct applying *a, struct protection_texts *to, char *const *texts, unsigned n)
{
    to->text = new_list(a, n, sizeof *to->text, &to->n);
    for (unsigned i = 0; i < to->n; i++)
        to->text[i] = copy(a, texts[i]);
}

static void set_level(struct applying *a, enum verdict_level *to, const char *text)
{
    if (text != NULL && !verdict_level_parse(text, to))
        wrong(a, "level", text, "one of benign, watch, suspicious, high_risk, malicious");
}

/* Words of letters, digits, '-' and '_': such as JSON need not escape. */
static void check_category(struct applying *a, const char *key, const char *text)
{
    if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0')
        wrong(a, key, text, "a category: lower-case letters, digits, - and _");
}

static void set_categories(struct applying *a, const char *key, struct protection_texts *to, char *const *texts, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        check_category(a, key, texts[i]);
    set_texts(a, to, texts, n);
}

/* ---- addresses ---- */

static bool is_one_address(const char *text)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* ADDRESS:PORT, that of IPv6 in brackets; `port_needed` or ADDRESS alone. */
static bool is_place(const char *text, bool port_needed)
{
    char address[INET6_ADDRSTRLEN + 2];
    uint16_t port;
    const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
    if (!port_needed && is_one_address(text))
        return true;
    if (end == NULL || (size_t)(end - text) >= sizeof address)
        return false;
    bool brackets = text[0] == '[';
    snprintf(address, sizeof address, "%.*s", (int)(end - text) - brackets, text + brackets);
    const char *rest = end + brackets;
    return is_one_address(address) && (strchr(address, ':') != NULL) == brackets &&
           (rest[0] == ':' ? value_port(rest + 1, &port) : rest[0] == '\0' && !port_needed);
}

static void set_peers(struct applying *a, const char *key, struct protection_peer **to, unsigned *to_n, const struct protection_peer *from,
                      unsigned n, bool networks)
{
    struct value_net net;
    *to = new_list(a, n, sizeof **to, to_n);
    for (unsigned i = 0; i < *to_n; i++) {
        (*to)[i] = (struct protection_peer){ copy(a, from[i].address), copy(a, from[i].key) };
        if (networks ? !value_net(from[i].address, &net) : !is_place(from[i].address, false))
            wrong(a, key, from[i].address, networks ? "an address or a network" : "ADDRESS or ADDRESS:PORT");
    }
}

/* ---- views ---- */

static bool is_name(const char *text)
{
    char name[NAME_TEXT_MAX];
    return knowledge_name_from_text(text, name) != 0;
}

/* A name, or addresses with blanks between them. */
static bool is_garden(const char *text)
{
    char list[1024], *rest = list, *one;
    bool all = text[0] != '\0' && snprintf(list, sizeof list, "%s", text) < (int)sizeof list;
    if (strchr(text, ' ') == NULL && !is_one_address(text))
        return is_name(text);
    while (all && (one = strsep(&rest, " ")) != NULL)
        all = is_one_address(one);
    return all;
}

static void check_action(struct applying *a, const char *text)
{
    static const char garden[] = "garden ";
    static const char *const words[] = { "nxdomain", "nodata", "passthru", "drop" };
    bool good = strncmp(text, garden, sizeof garden - 1) == 0 && is_garden(text + sizeof garden - 1);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        good |= strcmp(text, words[i]) == 0;
    if (!good)
        wrong(a, "action", text, "one of nxdomain, nodata, passthru, drop, garden NAME, garden ADDRESS...");
}

static void set_stages(struct applying *a, struct protection_view *v, const struct file_view *from)
{
    enum stage stage;
    v->stages = from->stages_count ? 0 : 1u << STAGE_PUBLISHED;
    for (unsigned i = 0; i < from->stages_count; i++)
        if (stage_parse(from->stages[i], &stage) && (stage == STAGE_SHADOW || stage == STAGE_PUBLISHED))
            v->stages |= 1u << stage;
        else
            wrong(a, "stages", from->stages[i], "shadow or published");
}

static void set_actions(struct applying *a, struct protection_view *v, const struct file_view *from)
{
    v->action = copy(a, from->action ? from->action : "nxdomain");
    if (from->action != NULL)
        check_action(a, from->action);
    v->actions = new_list(a, from->actions_count, sizeof *v->actions, &v->n_actions);
    for (unsigned i = 0; i < v->n_actions; i++) {
        check_category(a, "category", from->actions[i].category);
        check_action(a, from->actions[i].action);
        v->actions[i] = (struct protection_action){ copy(a, from->actions[i].category), copy(a, from->actions[i].action) };
    }
}

static void set_view(struct applying *a, struct protection_view *v, const struct file_view *from)
{
    char name[NAME_TEXT_MAX];
    *v = (struct protection_view){ .least = VERDICT_HIGH_RISK, .ttl_s = from->ttl ? *from->ttl : PROTECTION_TTL_S };
    if (knowledge_name_from_text(from->zone, name) == 0)
        wrong(a, "zone", from->zone, "a domain name");
    else
        v->zone = copy(a, name);
    set_level(a, &v->least, from->level);
    set_categories(a, "categories", &v->categories, from->categories, from->categories_count);
    set_stages(a, v, from);
    set_actions(a, v, from);
    if (v->ttl_s == 0 || v->ttl_s > PROTECTION_TTL_MAX_S)
        wrong(a, "ttl", "", "between 1 and 60");
}

static void set_views(struct applying *a, struct protection *to, const struct file_protect *from)
{
    to->views = new_list(a, from->views_count, sizeof *to->views, &to->n_views);
    for (unsigned i = 0; i < to->n_views && a->rc == 0; i++) {
        set_view(a, &to->views[i], &from->views[i]);
        for (unsigned other = 0; other < i && a->rc == 0; other++)
            if (strcmp(to->views[i].zone, to->views[other].zone) == 0)
                wrong(a, "zone", from->views[i].zone, "another than those before it");
    }
}

/* ---- the parts ---- */

/* libcyaml takes -1 for the largest number. */
static void set_count(struct applying *a, const char *key, uint64_t *to, const uint64_t *from)
{
    if (from == NULL)
        return;
    if (*from > INT64_MAX)
        wrong(a, key, "", "a count");
    *to = *from;
}

static void set_approve(struct applying *a, struct protection_approve *to, const struct file_approve *from)
{
    set_level(a, &to->least, from->level);
    set_categories(a, "not", &to->not, from->not, from->not_count);
    set_count(a, "clients", &to->clients, from->clients);
    set_count(a, "per_day", &to->per_day, from->per_day);
}

static void set_percent(struct applying *a, const char *key, double *to, const double *from)
{
    if (from == NULL)
        return;
    if (!(*from >= 0 && *from <= 1e9))
        wrong(a, key, "", "a number of percent");
    *to = *from;
}

static void set_jump(struct applying *a, struct protection_jump *to, const struct file_jump *from)
{
    set_percent(a, "add", &to->add, from->add);
    set_percent(a, "drop", &to->drop, from->drop);
    set_count(a, "least", &to->least, from->least);
}

static void set_shadow(struct applying *a, struct protection *to, const char *text)
{
    uint64_t seconds = 0;
    if (text != NULL && (!value_duration(text, &seconds) || seconds > UINT64_C(1) << 40))
        wrong(a, "shadow", text, "a duration such as 1d");
    to->shadow_s = (int64_t)seconds;
}

static void set_server(struct applying *a, struct protection_server *to, const struct file_server *from)
{
    for (unsigned i = 0; i < from->listen_count; i++)
        if (!is_place(from->listen[i], true))
            wrong(a, "listen", from->listen[i], "ADDRESS:PORT");
    set_texts(a, &to->listen, from->listen, from->listen_count);
    set_peers(a, "secondaries", &to->secondaries, &to->n_secondaries, from->secondaries, from->secondaries_count, false);
    set_peers(a, "allow", &to->allow, &to->n_allow, from->allow, from->allow_count, true);
    set_text(a, &to->keys_file, from->keys);
}

/* "one of rpz, hosts, ..., jsonl, csv" */
static void list_formats(char *to, size_t size)
{
    const struct feed_format *const *lists[] = { feed_formats, published_formats };
    size_t n = (size_t)snprintf(to, size, "one of");
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        for (size_t i = 0; lists[l][i] != NULL && n < size; i++)
            n += (size_t)snprintf(to + n, size - n, "%s %s", l + i > 0 ? "," : "", lists[l][i]->name);
}

/* Each once: two that write one file would be in each other's way. */
static void check_formats(struct applying *a, char *const *texts, unsigned n)
{
    char known[256];
    list_formats(known, sizeof known);
    for (unsigned i = 0; i < n; i++) {
        if (published_format(texts[i]) == NULL)
            wrong(a, "formats", texts[i], known);
        for (unsigned other = 0; other < i; other++)
            if (strcmp(texts[i], texts[other]) == 0)
                wrong(a, "formats", texts[i], "another than those before it");
    }
}

static void set_feeds(struct applying *a, struct protection_feeds *to, const struct file_feeds *from)
{
    if (from->listen != NULL && !is_place(from->listen, true))
        wrong(a, "listen", from->listen, "ADDRESS:PORT");
    set_text(a, &to->dir, from->dir);
    set_text(a, &to->listen, from->listen);
    check_formats(a, from->formats, from->formats_count);
    set_texts(a, &to->formats, from->formats, from->formats_count);
}

static void set_infrastructure(struct applying *a, uint64_t *to, const uint64_t *from)
{
    if (from != NULL && *from > INFRASTRUCTURE_DOMAINS)
        wrong(a, "infrastructure", "", "a number of registered domains up to 64");
    set_count(a, "infrastructure", to, from);
}

int protect_config_apply(struct protection *to, const struct file_protect *from, const char *path, struct fault *why)
{
    struct applying a = { path, why, E_OK };
    protection_release(to);
    set_approve(&a, &to->approve, &from->approve);
    set_shadow(&a, to, from->shadow);
    set_jump(&a, &to->jump, &from->jump);
    set_text(&a, &to->top_list.file, from->top_list.file);
    set_count(&a, "first", &to->top_list.first, from->top_list.first);
    set_infrastructure(&a, &to->infrastructure, from->infrastructure);
    set_views(&a, to, from);
    set_server(&a, &to->server, &from->server);
    set_feeds(&a, &to->feeds, &from->feeds);
    return a.rc;
}

/* ---- keys ---- */

static bool has_key(const struct protection_server *s, const char *name)
{
    for (unsigned i = 0; i < s->n_keys; i++)
        if (strcmp(s->keys[i].name, name) == 0)
            return true;
    return false;
}

static int check_peers(const struct protection_server *s, const struct protection_peer *peers, unsigned n, struct fault *why)
{
    for (unsigned i = 0; i < n; i++)
        if (peers[i].key != NULL && !has_key(s, peers[i].key))
            return fault_set(why, E_MALFORMED, "protect: the key '%s' of %s is not in %s", peers[i].key, peers[i].address,
                             s->keys_file ? s->keys_file : "a file: 'keys' names none");
    return E_OK;
}

static int add_key(struct protection_server *s, const struct protection_key *words, struct fault *why)
{
    struct protection_key *more = reallocarray(s->keys, s->n_keys + 1, sizeof *more);
    if (more == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    s->keys = more;
    struct protection_key *key = &more[s->n_keys++];
    *key = (struct protection_key){ strdup(words->name), strdup(words->algorithm), strdup(words->secret) };
    return key->name && key->algorithm && key->secret ? E_OK : fault_set(why, E_NOMEM, "out of memory");
}

static int take_line(struct protection_server *s, char *line, unsigned number, struct fault *why)
{
    static const char blanks[] = " \t\r\n";
    char *rest = NULL;
    struct protection_key words = { .name = strtok_r(line, blanks, &rest) };
    if (words.name == NULL || words.name[0] == '#')
        return E_OK;
    words.algorithm = strtok_r(NULL, blanks, &rest);
    words.secret = strtok_r(NULL, blanks, &rest);
    if (words.secret == NULL || strtok_r(NULL, blanks, &rest) != NULL || !is_name(words.name))
        return fault_set(why, E_MALFORMED, "%s:%u: is not NAME ALGORITHM SECRET", s->keys_file, number);
    return add_key(s, &words, why);
}

/* Secrets that anybody may read, or the group write, are none. */
static int check_mode(const char *path, FILE *file, struct fault *why)
{
    struct stat st;
    if (fstat(fileno(file), &st) != 0)
        return fault_errno(why, errno, "%s", path);
    return st.st_mode & 027 ? fault_set(why, E_USAGE, "%s: holds secrets, but its mode is %03o: chmod 600 or 640", path,
                                        (unsigned)(st.st_mode & 0777)) : E_OK;
}

static int read_keys(struct protection_server *s, FILE *file, struct fault *why)
{
    char line[KEY_LINE_MAX];
    int rc = check_mode(s->keys_file, file, why);
    for (unsigned number = 1; rc == 0 && fgets(line, sizeof line, file) != NULL; number++)
        rc = take_line(s, line, number, why);
    explicit_bzero(line, sizeof line);
    return rc;
}

int protect_config_load_keys(struct protection_server *s, struct fault *why)
{
    int rc = E_OK;
    if (s->keys_file != NULL) {
        FILE *file = fopen(s->keys_file, "re");
        if (file == NULL)
            return fault_errno(why, errno, "%s", s->keys_file);
        rc = read_keys(s, file, why);
        fclose(file);
    }
    if (rc == 0)
        rc = check_peers(s, s->secondaries, s->n_secondaries, why);
    return rc ? rc : check_peers(s, s->allow, s->n_allow, why);
}
