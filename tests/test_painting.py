"""The drawn scenes: each another, and what tells them apart is not their colour."""

from functools import cache

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torchvision.transforms import v2

from mbtools import models, painting


@pytest.mark.parametrize("label", painting.CLASSES)
def test_a_seed_is_a_scene(label):
    one, again, other = (painting.draw(label, seed) for seed in (7, 7, 8))
    assert (one.mode, one.size) == ("RGB", (150, 150))
    assert np.array_equal(one, again)
    assert np.abs(np.asarray(one, float) - np.asarray(other)).mean() > 10


def test_there_are_six_classes():
    with pytest.raises(ValueError, match=r"one of buildings, forest.*; got 'desert'"):
        painting.draw("desert", 0)


@cache
def drawn(first, per_class):
    """Scenes that no one has looked at: pictures and labels."""
    seeds = range(first, first + per_class)
    made = [painting.draw(label, seed) for label in painting.CLASSES for seed in seeds]
    return made, np.repeat(np.arange(6), per_class)


def accuracy(features):
    """Of a linear classifier on what ``features`` makes of pictures."""
    (train, labels), (test, truth) = drawn(500_000, 30), drawn(600_000, 20)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return linear.fit(features(train), labels).score(features(test), truth)


def seen_by(module):
    """What a net's features are, averaged over places."""
    see = v2.Compose(
        [
            v2.ToImage(),
            v2.Resize((96, 96)),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )

    def features(pictures):
        with torch.inference_mode():
            batch = torch.stack([see(picture) for picture in pictures])
            return module.eval().features(batch).mean((2, 3)).numpy()

    return features


def colour(pictures):
    pixels = np.stack([np.asarray(picture, float) for picture in pictures])
    return np.hstack([pixels.mean((1, 2)), pixels.std((1, 2))])


def test_colours_do_not_tell_the_drawn_scenes():
    assert 0.25 < accuracy(colour) < 0.65  # by chance 0.17


def test_a_net_must_have_learned_something_to_tell_them():
    trained = models.MobileNetV2()
    trained.load_state_dict(models.imagenet_weights())
    torch.manual_seed(0)
    untrained = models.MobileNetV2(0.35, classes=6)
    knows, guesses = accuracy(seen_by(trained)), accuracy(seen_by(untrained))
    assert knows > 0.85 and guesses < knows - 0.15
    pictures, truth = drawn(600_000, 20)
    logits = untrained.classifier(torch.tensor(seen_by(untrained)(pictures)))
    assert (logits.argmax(1).numpy() == truth).mean() < 0.35
