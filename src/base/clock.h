#pragma once

/* Points in time as text. */

#include <time.h>

#define TIME_TEXT_MAX 36

/** time_text() - @when, from 1970 on, by RFC 3339 in UTC, with nanoseconds */
void time_text(const struct timespec *when, char ret[TIME_TEXT_MAX]);

/** time_now_text() - the same of now */
void time_now_text(char ret[TIME_TEXT_MAX]);
