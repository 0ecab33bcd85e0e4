#pragma once

/* Messages between processes of ours that carry a descriptor. */

#include <sys/types.h>

/** socket_send() - send one message, and with it @fd (-EBADF: none). Returns: 0, or -1 with errno */
int socket_send(int socket, const void *data, size_t len, int fd);

/**
 * socket_receive() - receive one message
 * @ret_fd: the descriptor that came with it, close-on-exec; -EBADF when none did
 *
 * Returns: bytes, 0 at the end, or -1 with errno
 */
ssize_t socket_receive(int socket, void *data, size_t size, int *ret_fd);
