"""Scenes drawn as Intel's set shows them, for readers without the photographs.

Lengths are shares of the picture, (0, 0) is its upper left corner. Classes share
their colours: forms must tell them apart.
"""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageOps

CLASSES = ("buildings", "forest", "glacier", "mountain", "sea", "street")
SIZE = (150, 150)
DRAWN = 2 * SIZE[0]  # shrunk afterwards, which softens the edges

# (above, below): blue, white, grey, evening, dusk
SKIES = (
    ((70, 130, 200), (190, 215, 235)),
    ((170, 200, 225), (235, 240, 240)),
    ((120, 130, 140), (200, 205, 205)),
    ((90, 110, 160), (245, 190, 130)),
    ((60, 70, 110), (160, 140, 160)),
)
WALLS = ((160, 160, 165), (205, 190, 165), (165, 100, 80), (110, 140, 165))
ROCKS = ((105, 105, 115), (130, 110, 95), (80, 90, 110), (90, 110, 85))
LEAVES = ((70, 120, 60), (110, 140, 65), (55, 95, 80), (180, 120, 50), (130, 135, 135))
WATERS = ((40, 90, 140), (70, 130, 150), (95, 115, 130), (60, 75, 100))
ICES = ((225, 235, 240), (185, 210, 225), (205, 205, 210))
SANDS = ((205, 190, 165), (150, 130, 110))


class _Sheet:
    """A sky to draw on, and the chance (rng) that makes each scene another."""

    def __init__(self, rng):
        self.rng = rng
        above, below = np.array(SKIES[rng.integers(len(SKIES))])
        fade = np.linspace(0, 1, DRAWN)[:, None, None]
        sky = np.repeat(above + (below - above) * fade, DRAWN, axis=1)
        self.picture = Image.fromarray(sky.astype(np.uint8))
        self.pen = ImageDraw.Draw(self.picture)

    def some(self, low, high, count=None):
        return self.rng.uniform(low, high, count)

    def often(self, chance):
        return self.rng.random() < chance

    def many(self, low, high):
        return range(self.rng.integers(low, high + 1))

    def pick(self, colours):
        return np.array(colours[self.rng.integers(len(colours))]) * self.some(0.8, 1.1)

    def fill(self, points, colour):
        points = (np.asarray(points) * DRAWN).ravel().tolist()
        colour = tuple(min(max(int(part), 0), 255) for part in colour)
        self.pen.polygon(points, fill=colour)

    def jagged(self, start, end, shake):
        """33 points from start to end, shaken less and less between the others."""
        line = np.array([start, end])
        for _ in range(5):
            middles = (line[1:] + line[:-1]) / 2
            middles += self.some(-shake, shake, middles.shape)
            line = np.insert(line, range(1, len(line)), middles, axis=0)
            shake *= 0.55
        return line

    def land(self, colour, left, right, shake=0.0):
        """Everything below a jagged line, from heights at left and right."""
        line = self.jagged((-0.1, left), (1.1, right), shake)
        self.fill([*line, (1.1, 1.1), (-0.1, 1.1)], colour)
        return line

    def wall(self, corners, colour, floors, windows):
        """A façade; corners clockwise from the upper left."""
        self.fill(corners, colour)
        a, b, c, d = np.array(corners)
        across = (np.arange(windows)[:, None] + (0.25, 0.75, 0.75, 0.25)) / windows
        down = (np.arange(floors)[:, None, None] + (0.3, 0.3, 0.8, 0.8)) / floors
        u, v = across[..., None], down[..., None]
        panes = (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v
        glass, lit = colour * self.some(0.35, 0.7), self.some(0, 0.3)
        for pane in panes.reshape(-1, 4, 2):
            self.fill(pane, colour * 1.4 if self.often(lit) else glass)

    def photographed(self):
        """Mirrored, cut, in another light and grainy, as a camera might take it."""
        picture = ImageOps.mirror(self.picture) if self.often(0.5) else self.picture
        side = DRAWN * self.some(0.8, 1)
        x, y = self.some(0, DRAWN - side, 2)
        box = (x, y, x + side, y + side)
        pixels = np.asarray(picture.resize(SIZE, Image.Resampling.BOX, box), float)
        grey = pixels.mean(2, keepdims=True)
        pixels = grey + (pixels - grey) * self.some(0.2, 1.2)  # pale or bright
        shadow = Image.fromarray(self.rng.integers(190, 256, (6, 6), dtype=np.uint8))
        shadow = np.asarray(shadow.resize(SIZE, Image.Resampling.BICUBIC)) / 255
        light = self.some(0.7, 1.2) * self.some(0.87, 1.13, 3)
        grain = self.rng.normal(0, self.some(2, 9), pixels.shape)
        pixels = pixels * light * shadow[..., None] + grain
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _buildings(s):
    for top in (0.15, 0.0):  # those behind are lower
        left = s.some(-0.2, 0)
        while left < 1:
            corner = left + s.some(0.12, 0.35)
            right = corner + s.some(0, 0.15)
            roof, colour = top + s.some(0.02, 0.35), s.pick(WALLS)
            floors, windows = s.rng.integers((6, 3), (15, 8))
            front = [(left, roof), (corner, roof), (corner, 1.1), (left, 1.1)]
            s.wall(front, colour, floors, windows)
            far = roof + s.some(0, 0.08)
            side = [(corner, roof), (right, far), (right, 1.05), (corner, 1.1)]
            s.wall(side, colour * 0.7, floors, 2)
            left = right + s.some(-0.05, 0.15)


def _street(s):
    end = np.array([s.some(0.35, 0.65), s.some(0.4, 0.6)])

    def away(x, y, depth):
        """A point beside us, moved towards where the street ends."""
        return np.array([x, y]) * (1 - depth) + end * depth

    s.land(s.pick(WALLS) * 0.8, end[1], end[1])
    for x in (0, 1):
        depths = [0.85, *np.sort(s.some(0.15, 0.75, 3))[::-1], 0]
        for far, near in pairwise(depths):
            roof = s.some(-0.5, 0.25)
            corners = [(roof, near), (roof, far), (1, far), (1, near)]
            corners = [away(x, y, depth) for y, depth in corners]
            s.wall(corners, s.pick(WALLS), *s.rng.integers((3, 2), (7, 5)))
    x, y = end
    road = np.full(3, s.some(60, 120))
    sides = s.some(-0.3, 0.1), s.some(0.9, 1.3)
    s.fill([(x - 0.02, y), (x + 0.02, y), (sides[1], 1.05), (sides[0], 1.05)], road)
    for near in (0.0, 0.25, 0.45, 0.6):
        dash = [(0.48, near), (0.52, near), (0.52, near + 0.1), (0.48, near + 0.1)]
        s.fill([away(x, 1.05, depth) for x, depth in dash], road + 110)
    for depth in sorted(s.some(0.3, 0.8, len(s.many(0, 4))), reverse=True):  # cars
        x, paint = s.some(0.1, 0.3) + 0.5 * s.often(0.5), s.some(30, 220, 3)
        body = ((x, 1.0), (x + 0.3, 1.0), (x + 0.3, 0.85), (x, 0.85))
        cabin = ((x, 0.85), (x + 0.3, 0.85), (x + 0.25, 0.73), (x + 0.05, 0.73))
        for part, colour in ((body, paint), (cabin, paint * 0.5)):
            s.fill([away(*point, depth) for point in part], colour)


def _forest(s):
    leaf, bark, firs = s.pick(LEAVES), s.pick(ROCKS) * s.some(0.5, 1.2), s.often(0.5)
    haze = leaf * s.some(0.8, 1.4)
    s.land(haze, s.some(-0.2, 0.35), s.some(-0.2, 0.35), 0.05)
    for near in np.linspace(0, 1, 60):  # from the far trees to the near ones
        tint = s.some(0.75, 1.25) * (1 + s.some(-0.1, 0.1, 3))
        colour = (haze + (leaf * 0.7 - haze) * near) * tint
        x, size = s.some(0, 1), 0.1 + 0.2 * near
        if firs:
            foot = 0.4 + 0.75 * near
            for layer in range(4):
                wide, y = size * (0.2 + 0.13 * layer), foot - size * (1.7 - 0.5 * layer)
                fir = [(x, y - size * 0.9), (x + wide, y), (x - wide, y)]
                s.fill(fir, colour * (1 - 0.07 * layer))
            continue
        if s.often(0.3):
            wide, lean, foot = 0.01 + 0.03 * near, s.some(-0.05, 0.05), 0.7 + 0.4 * near
            trunk = [(x + lean, -0.1), (x + lean + wide, -0.1), (x + 1.5 * wide, foot)]
            s.fill([*trunk, (x - 0.5 * wide, foot)], bark * s.some(0.8, 1.2))
        for _ in range(4):
            middle = s.some((0, -0.1), (1, 0.9 - 0.3 * near))
            turn = np.linspace(0, 2 * np.pi, 10)[:, None]
            leaves = np.hstack([np.cos(turn), np.sin(turn)]) * s.some(
                0.15, 0.45, (10, 1)
            )
            s.fill(middle + size * leaves, colour * s.some(0.8, 1.2))


def _mountain(s):
    rock, snow = s.pick(ROCKS), s.pick(ICES)
    white = s.rng.integers(1, 20)  # of the 33 points of a slope
    s.land(rock * 0.6 + 90, s.some(0.3, 0.6), s.some(0.3, 0.6), 0.15)
    for height in sorted(s.some(0.1, 0.5, 2 + len(s.many(0, 2)))):
        peak, half = np.array([s.some(0, 1), height]), s.some(0.4, 0.7)
        left = s.jagged(peak, (peak[0] - half, 1), 0.05)
        crease = s.jagged(peak, (peak[0] + half * s.some(-0.3, 0.3), 1), 0.1)
        right = s.jagged(peak, (peak[0] + half, 1), 0.05)
        for slope, light in ((left, 1.0), (right, 0.6)):
            s.fill([*slope, *crease[::-1]], rock * light)
            s.fill([*slope[:white], *crease[:white][::-1]], snow * (light + 1) / 2)
    for level in (0.75, 0.9):
        hill = s.pick(LEAVES if s.often(0.6) else ROCKS) * s.some(0.6, 1)
        s.land(hill, level + s.some(-0.1, 0.1), level + s.some(-0.1, 0.1), 0.05)


def _glacier(s):
    s.land(s.pick(ROCKS), s.some(0.1, 0.5), s.some(0.1, 0.5), 0.2)
    ice, top, foot = s.pick(ICES), s.some(0.3, 0.5), s.some(0.65, 1)
    crest = s.land(ice, top + s.some(-0.1, 0.1), top + s.some(-0.1, 0.1), 0.08)
    for x, y in s.rng.choice(crest, 40):  # crevasses
        x, wide, lean = (
            x + s.some(-0.02, 0.02),
            s.some(0.005, 0.03),
            s.some(-0.05, 0.05),
        )
        y += s.some(0, 0.1)
        low = y + s.some(0.2, 1) * (foot - top)
        crack = [(x, y), (x + wide, y + 0.02), (x + wide + lean, low), (x + lean, low)]
        s.fill(crack, ice * (0.7, 0.85, 0.95) * s.some(0.75, 1))
    s.land(s.pick(WATERS), foot, foot)
    for y in sorted(s.some(foot, 1, len(s.many(0, 25)))):  # floes
        size = 0.02 + 0.2 * (y - foot)
        floe = np.array(
            [(-1, 0), (-0.4, -s.some(0.2, 1)), (0.3, -0.5), (1, 0), (0, 0.3)]
        )
        s.fill((s.some(0, 1), y) + size * floe, ice * s.some(0.85, 1.1))


def _sea(s):
    horizon, water = s.some(0.25, 0.6), s.pick(WATERS)
    if s.often(0.4):  # a far coast; the water is drawn over its foot
        low, high = horizon - 0.12, horizon + 0.12
        s.land(s.pick(ROCKS), s.some(low, high), s.some(low, high), 0.06)
    s.land(water, horizon, horizon)
    for near in sorted(s.some(0, 1, 90) ** 1.5):  # waves
        x, y = s.some(-0.1, 1), horizon + (1 - horizon) * near
        long, high = (0.05 + 0.4 * near) * s.some(0.4, 1), 0.003 + 0.02 * near
        wave = [(x - long, y), (x, y - high), (x + long, y), (x, y + high / 2)]
        s.fill(wave, water + s.some(-25, 60) * (2 if s.often(0.2) else 1))
    if s.often(0.5):
        left, right = s.some(0.7, 1.1, 2)
        beach = s.land(s.pick(ICES), left, right, 0.02)  # foam, then sand
        s.fill([*np.add(beach, (0, 0.03)), (1.1, 1.1), (-0.1, 1.1)], s.pick(SANDS))
    if s.often(0.5):
        size, paint = s.some(0.05, 0.15), s.some(20, 200, 3)
        boat = (s.some(0.1, 0.9), horizon + s.some(0.02, 0.2))
        hull = np.array([(-1, 0), (1, 0), (0.7, 0.3), (-0.7, 0.3)])
        sail = np.array([(0, -2), (0.8, -0.1), (0, -0.1)])
        s.fill(boat + size * hull, paint)
        s.fill(boat + size * sail, s.pick(ICES))


PAINTERS = dict(
    zip(CLASSES, (_buildings, _forest, _glacier, _mountain, _sea, _street), strict=True)
)


def draw(label, seed):
    """A drawn scene of a class of CLASSES: PIL picture, 150×150, RGB.

    Raises ValueError if there is no such class.
    """
    if label not in CLASSES:
        raise ValueError(f"label must be one of {', '.join(CLASSES)}; got {label!r}")
    sheet = _Sheet(np.random.default_rng([CLASSES.index(label), seed]))
    PAINTERS[label](sheet)
    return sheet.photographed()
