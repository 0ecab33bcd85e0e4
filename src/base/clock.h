#pragma once

/* Points in time as text. */

/** time_now_text() - RFC 3339, UTC, with nanoseconds */
#define TIME_TEXT_MAX 36
void time_now_text(char ret[TIME_TEXT_MAX]);
