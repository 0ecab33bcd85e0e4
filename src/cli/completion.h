#pragma once

/* Completion scripts for shells, made from the command and option tables. */

#include "cli/command.h"

int completion_bash(Output *out, Error *err);
int completion_zsh(Output *out, Error *err);
int completion_fish(Output *out, Error *err);

typedef enum ValueKind {
        VALUE_OTHER,
        VALUE_CHOICE, /* one of "a|b|c" */
        VALUE_FILE,
        VALUE_DIR,
        VALUE_ID,
        VALUE_IMAGE,
        VALUE_RUNTIME,
        VALUE_DRIVER,
        VALUE_SIGNAL,
        VALUE_COMMAND,
        VALUE_SHELL,
} ValueKind;

/** value_kind() - what the name of a value says it is; NULL is VALUE_OTHER */
ValueKind value_kind(const char *value);

/** operand_value() - name of a command's operand, counted from 0, without brackets and dots; "" when there is none */
#define OPERAND_NAME_MAX 32
const char *operand_value(const Command *command, size_t index, char ret[OPERAND_NAME_MAX]);

/** value_words() - the words a value of that kind can be, each followed by a space; nothing for what is only known when asked. Appended */
int value_words(Output *out, const char *value, Error *err);

/** Commands that print, one a line, what exists now */
#define COMPLETE_IDS    "proxmox-lxcri list -q 2>/dev/null"
#define COMPLETE_IMAGES "proxmox-lxcri image list --format names 2>/dev/null"
