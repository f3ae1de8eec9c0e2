// Products of BF16 weights in AMX tiles, for ggml's AMX backend, which has kernels for quantised weights only.
//
// Arithmetic is of the kind ggml uses for BF16 elsewhere: activations are rounded to BF16, products are summed in single
// precision. A row's result depends on that row alone: not on how many rows there are, and not on the threads.
//
// Both operands lie in tiles of 1 KiB, 16 rows of 64 bytes:
//   weights [N/16][K/32]: row p, column n holds the weights k = 2p and 2p + 1 of output n (the order that TDPBF16PS wants)
//   activations [M/16][K/32]: row m holds 32 numbers; rows beyond M are zero
#pragma once

#include "common.h"

#include <cstdint>
#include <cstring>

namespace amx_bf16 {

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

constexpr int ROWS = 16;         // of a tile
constexpr int DEPTH = 32;        // numbers of K in a tile
constexpr int TILE_BYTES = 1024;
constexpr int STRIDE = 64;       // bytes of a tile's row

// Which weights are taken; the tiles of a matrix must come out even.
inline bool takes(const ggml_tensor * weights) {
    return weights->type == GGML_TYPE_BF16 && weights->ne[0] % DEPTH == 0 && weights->ne[1] % (2 * ROWS) == 0 &&
           weights->ne[2] == 1 && weights->ne[3] == 1;
}

// The weights' own order [N][K] into tiles, which need as many bytes.
inline void pack_weights(ggml_tensor * weights, const void * data) {
    const int64_t K = weights->ne[0], N = weights->ne[1];
    const auto * from = static_cast<const uint16_t *>(data);
    auto * to = static_cast<uint16_t *>(weights->data);
    for (int64_t n = 0; n < N; ++n) {
        for (int64_t k = 0; k < K; k += 2) {
            const int64_t tile = (n / ROWS) * (K / DEPTH) + k / DEPTH;
            uint16_t * place = to + (tile * TILE_BYTES + (k % DEPTH / 2) * STRIDE) / 2 + (n % ROWS) * 2;
            place[0] = from[n * K + k];
            place[1] = from[n * K + k + 1];
        }
    }
}

// Bytes of work space: the activations' tiles, and room to begin them at a cache line.
inline size_t work_size(const ggml_tensor * dst) {
    return div_up(ggml_nrows(dst), int64_t(ROWS)) * ROWS * dst->src[0]->ne[0] * 2 + 64;
}

// One stripe of 16 rows of activations, rounded to BF16.
inline void pack_rows(const float * rows, int count, int64_t K, char * to) {
    for (int64_t k = 0; k < K; k += DEPTH, to += TILE_BYTES) {
        for (int m = 0; m < ROWS; ++m) {
            if (m < count) {
                const float * from = rows + m * K + k;
                const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));
                memcpy(to + m * STRIDE, &both, sizeof(both));
            } else {
                memset(to + m * STRIDE, 0, STRIDE);
            }
        }
    }
}

// A tile of results into `count` rows of dst.
#define AMX_BF16_STORE(TILE, TO, COUNT, LDC)                                       \
    do {                                                                           \
        const int rows_ = (COUNT);                                                 \
        if (rows_ >= ROWS) {                                                       \
            _tile_stored(TILE, TO, (LDC) * sizeof(float));                         \
        } else if (rows_ > 0) {                                                    \
            alignas(64) float part_[ROWS * ROWS];                                  \
            _tile_stored(TILE, part_, STRIDE);                                     \
            for (int m_ = 0; m_ < rows_; ++m_) {                                   \
                memcpy((TO) + m_ * (LDC), part_ + m_ * ROWS, STRIDE);              \
            }                                                                      \
        }                                                                          \
    } while (0)

// Up to 32 rows by 32 outputs. `a`, `b`: the first of two stripes of tiles; `steps`: tiles of a stripe.
inline void block(const char * a, const char * b, int64_t steps, int rows, float * to, int64_t ldc) {
    const char * a1 = a + steps * TILE_BYTES;
    const char * b1 = b + steps * TILE_BYTES;
    _tile_zero(4);
    _tile_zero(5);
    if (rows > ROWS) {
        _tile_zero(6);
        _tile_zero(7);
        for (int64_t k = 0; k < steps * TILE_BYTES; k += TILE_BYTES) {
            _tile_loadd(2, b + k, STRIDE);
            _tile_loadd(0, a + k, STRIDE);
            _tile_loadd(3, b1 + k, STRIDE);
            _tile_loadd(1, a1 + k, STRIDE);
            _tile_dpbf16ps(4, 0, 2);
            _tile_dpbf16ps(5, 0, 3);
            _tile_dpbf16ps(6, 1, 2);
            _tile_dpbf16ps(7, 1, 3);
        }
        AMX_BF16_STORE(6, to + ROWS * ldc, rows - ROWS, ldc);
        AMX_BF16_STORE(7, to + ROWS * ldc + ROWS, rows - ROWS, ldc);
    } else {
        for (int64_t k = 0; k < steps * TILE_BYTES; k += TILE_BYTES) {
            _tile_loadd(0, a + k, STRIDE);
            _tile_loadd(2, b + k, STRIDE);
            _tile_loadd(3, b1 + k, STRIDE);
            _tile_dpbf16ps(4, 0, 2);
            _tile_dpbf16ps(5, 0, 3);
        }
    }
    AMX_BF16_STORE(4, to, rows, ldc);
    AMX_BF16_STORE(5, to + ROWS, rows, ldc);
}

#undef AMX_BF16_STORE

// Eight tiles of 16 rows of 64 bytes; what this thread had set before is set again at the end.
class Tiles {
  public:
    Tiles() {
        alignas(64) uint8_t ours[64] = { 1 };  // the first byte: palette 1; 16: bytes of a row; 48: rows
        for (int tile = 0; tile < 8; ++tile) {
            ours[16 + 2 * tile] = STRIDE;
            ours[48 + tile] = ROWS;
        }
        _tile_storeconfig(before);
        _tile_loadconfig(ours);
    }

    ~Tiles() { _tile_loadconfig(before); }

    Tiles(const Tiles &) = delete;
    Tiles & operator=(const Tiles &) = delete;

  private:
    alignas(64) uint8_t before[64];
};

// dst [M][N] = src1 [M][K] times src0 [N][K] transposed; called by every thread.
inline void mul_mat(const ggml_compute_params * params, ggml_tensor * dst) {
    const int64_t K = dst->src[0]->ne[0], N = dst->ne[0], M = ggml_nrows(dst);
    const int64_t steps = K / DEPTH, stripe = steps * TILE_BYTES;
    const auto * rows = static_cast<const float *>(dst->src[1]->data);
    const auto * weights = static_cast<const char *>(dst->src[0]->data);
    auto * to = static_cast<float *>(dst->data);
    char * work = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(params->wdata) + 63) & ~uintptr_t(63));
    GGML_ASSERT(params->wsize >= work_size(dst));

    parallel_for_ggml(params, div_up(M, int64_t(ROWS)), [&](int begin, int end) {
        for (int64_t m = begin; m < end; ++m) {
            pack_rows(rows + m * ROWS * K, int(std::min<int64_t>(ROWS, M - m * ROWS)), K, work + m * stripe);
        }
    });
    ggml_barrier(params->threadpool);

    // Blocks of the same weights follow one another, so that these stay in the nearest cache.
    const int64_t high = div_up(M, int64_t(2 * ROWS));
    parallel_for_ggml(params, int(high * (N / (2 * ROWS))), [&](int begin, int end) {
        const Tiles tiles;
        for (int64_t place = begin; place < end; ++place) {
            const int64_t m = place % high * 2 * ROWS, n = place / high * 2 * ROWS;
            block(work + m / ROWS * stripe, weights + n / ROWS * stripe, steps, int(std::min<int64_t>(2 * ROWS, M - m)),
                  to + m * N + n, N);
        }
    });
}

#else

inline bool takes(const ggml_tensor *) { return false; }
inline void pack_weights(ggml_tensor *, const void *) {}
inline size_t work_size(const ggml_tensor *) { return 0; }
inline void mul_mat(const ggml_compute_params *, ggml_tensor *) {}

#endif

}  // namespace amx_bf16
