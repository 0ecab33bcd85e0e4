/* Messages between us and CRIU's service. */

#include "runtime/criu-message.h"

#include <string.h>

#define NUMBER_MAX 10 /* bytes of the longest number: 64 bits, seven in a byte */

typedef enum WireType {
        WIRE_NUMBER  = 0,
        WIRE_FIXED64 = 1,
        WIRE_BYTES   = 2,
        WIRE_FIXED32 = 5,
} WireType;

static int put_varint(Buf *message, uint64_t value, Error *err) {
        unsigned char bytes[NUMBER_MAX];
        size_t n = 0;

        for (; value >= 0x80; value >>= 7)
                bytes[n++] = (unsigned char) (value | 0x80);
        bytes[n++] = (unsigned char) value;
        return buf_append(message, bytes, n, err);
}

static int put_bytes(Buf *message, unsigned field, const void *data, size_t len, Error *err) {
        if (put_varint(message, (uint64_t) field << 3 | WIRE_BYTES, err) < 0 || put_varint(message, len, err) < 0)
                return -1;
        return buf_append(message, data, len, err);
}

int criu_put_number(Buf *message, unsigned field, uint64_t value, Error *err) {
        return put_varint(message, (uint64_t) field << 3 | WIRE_NUMBER, err) < 0 ? -1 : put_varint(message, value, err);
}

int criu_put_text(Buf *message, unsigned field, const char *text, Error *err) {
        return text ? put_bytes(message, field, text, strlen(text), err) : 0;
}

int criu_put_message(Buf *message, unsigned field, const Buf *part, Error *err) {
        return put_bytes(message, field, part->data ?: "", part->len, err);
}

int criu_put_pair(Buf *message, unsigned field, const char *first, const char *second, Error *err) {
        _cleanup_buf_ Buf pair = BUF_INIT(CRIU_REQUEST_MAX);

        if (criu_put_text(&pair, 1, first, err) < 0 || criu_put_text(&pair, 2, second, err) < 0)
                return -1;
        return criu_put_message(message, field, &pair, err);
}

int criu_request_make(Buf *request, CriuType type, const Buf *opts, Error *err) {
        if (criu_put_number(request, 1, type, err) < 0)
                return -1;
        return opts ? criu_put_message(request, 2, opts, err) : criu_put_number(request, 3, true, err);
}

/* ---- reading ---- */

typedef struct Reader {
        const unsigned char *at, *end;
} Reader;

typedef struct Field {
        unsigned number;
        WireType type;
        uint64_t value; /* WIRE_NUMBER */
        Reader bytes;   /* WIRE_BYTES */
} Field;

static bool read_varint(Reader *r, uint64_t *ret) {
        uint64_t value = 0;

        for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
                unsigned char byte = *r->at++;

                value |= (uint64_t) (byte & 0x7f) << shift;
                if (!(byte & 0x80)) {
                        *ret = value;
                        return true;
                }
        }
        return false;
}

static bool skip(Reader *r, uint64_t len) {
        if ((uint64_t) (r->end - r->at) < len)
                return false;
        r->at += len;
        return true;
}

static bool read_field(Reader *r, Field *ret) {
        uint64_t key, len;

        if (!read_varint(r, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX)
                return false;
        *ret = (Field) { .number = (unsigned) (key >> 3), .type = (WireType) (key & 7) };
        switch (ret->type) {
        case WIRE_NUMBER:
                return read_varint(r, &ret->value);
        case WIRE_FIXED64:
                return skip(r, 8);
        case WIRE_FIXED32:
                return skip(r, 4);
        case WIRE_BYTES:
                if (!read_varint(r, &len))
                        return false;
                ret->bytes.at = r->at;
                if (!skip(r, len))
                        return false;
                ret->bytes.end = r->at;
                return true;
        }
        return false;
}

/* What is longer is cut: it is for people. */
static void copy_text(const Field *field, char *ret, size_t size) {
        size_t len = (size_t) (field->bytes.end - field->bytes.at);

        if (len >= size)
                len = size - 1;
        memcpy(ret, field->bytes.at, len);
        ret[len] = '\0';
}

/* Of criu_restore_resp field 1 is the pid; of criu_notify 1 is the script and 2 the pid. */
static bool read_part(Reader r, unsigned pid_field, CriuAnswer *answer) {
        Field field;

        while (r.at < r.end) {
                if (!read_field(&r, &field))
                        return false;
                if (field.number == pid_field && field.type == WIRE_NUMBER)
                        answer->pid = (pid_t) field.value;
                else if (field.number == 1 && field.type == WIRE_BYTES)
                        copy_text(&field, answer->script, sizeof(answer->script));
        }
        return true;
}

static bool read_answer(Reader r, CriuAnswer *answer) {
        Field field;

        while (r.at < r.end) {
                if (!read_field(&r, &field))
                        return false;
                if (field.type == WIRE_NUMBER) {
                        if (field.number == 1)
                                answer->type = (unsigned) field.value;
                        else if (field.number == 2)
                                answer->success = field.value != 0;
                        else if (field.number == 7)
                                answer->errnum = (int) field.value;
                } else if (field.type == WIRE_BYTES) {
                        if ((field.number == 4 && !read_part(field.bytes, 1, answer)) ||
                            (field.number == 5 && !read_part(field.bytes, 2, answer)))
                                return false;
                        if (field.number == 9)
                                copy_text(&field, answer->message, sizeof(answer->message));
                }
        }
        return true;
}

int criu_answer_read(const void *data, size_t len, CriuAnswer *ret, Error *err) {
        CriuAnswer answer = {};
        const unsigned char *bytes = data;

        if (!read_answer((Reader) { .at = bytes, .end = bytes + len }, &answer))
                return error_set(err, ERROR_RUNTIME, "CRIU said what nobody understands");
        *ret = answer;
        return 0;
}
