/* yamlfile: a YAML file into a C structure by a schema of libcyaml, and the line of what is wrong in it.
 *
 * Functions only; one thread. (Names that begin with yaml_ are libyaml's, also those that no header tells of.)
 */
#ifndef DNSMON_CMD_YAMLFILE_H
#define DNSMON_CMD_YAMLFILE_H

#include "base/fault.h"

#include <cyaml/cyaml.h>

enum { MAYBE = CYAML_FLAG_OPTIONAL, MAYBE_PTR = CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER };

/* *ret is NULL for an empty file; `yamlfile_free` frees it. E_MALFORMED with "file:line: what". */
int yamlfile_load(const char *path, const cyaml_schema_value_t *schema, void **ret, struct fault *why) MUST_CHECK;
void yamlfile_free(const cyaml_schema_value_t *schema, void *data);

/* The line that holds `value` behind `key`, or after it (a list); 0 when it is not found. */
unsigned yamlfile_line(const char *path, const char *key, const char *value);

#endif
