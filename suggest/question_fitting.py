"""Fits the judge of double questions on labelled chats; the service only reads its weights."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from indexes.classifier import TextClassifier, label_groups
from knowledge.chats import LabelledChat
from suggest.questions import Hearing, QuestionSplitter, best_pair, pieces_of, words_to_split

# A single question that is split costs the third choice, a double one that is not costs an answer: so a double one counts twice in the fit, and so many
# of the single ones may be spoken of as two, and may have each half asked beside the whole (D90).
_WORTH = {False: 1, True: 2}
_WRONGLY_SPLIT, _WRONGLY_ASKED = 0.08, 0.2
_REGULARISATION = 1.0
_FOLDS = 5


def enough_to_learn_from(chats: Sequence[LabelledChat]) -> bool:
    """Whether every fold can have a double question."""
    return sum(bool(chat.labels.questions) and chat.labels.answerable for chat in chats) >= _FOLDS


def fit_question_splitter(chats: Sequence[LabelledChat], needs: TextClassifier) -> QuestionSplitter:
    """Fits on chats that should be answered; the two limits let `_WRONGLY_SPLIT` and `_WRONGLY_ASKED` of the single questions through.

    Limits are set on folds over conversations.

    Raises:
        ValueError: fewer double questions than folds.
    """
    answerable = [chat for chat in chats if chat.labels.answerable]
    names, to_scenario = label_groups(needs.labels)
    is_matter = np.array([not name.startswith("chat.") for name in names], dtype=np.bool_)
    rows, double, groups = [], [], []
    for chat in answerable:
        text = words_to_split(chat.message)
        pieces = pieces_of(text)
        if len(pieces) > 1:
            heard = needs.probabilities([text, *(piece.text for piece in pieces)])
            rows.append(best_pair(pieces, Hearing(heard[0] @ to_scenario, heard[1:] @ to_scenario, heard[1:], is_matter))[0])
            double.append(bool(chat.labels.questions))
            groups.append(f"{chat.store}/{chat.conversation}")
    if not enough_to_learn_from(chats) or sum(double) < _FOLDS:
        raise ValueError(f"expected at least {_FOLDS} double questions among the chats, got {sum(double)}")
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=_REGULARISATION, class_weight=_WORTH, max_iter=2_000))
    features, labels = np.array(rows), np.array(double)
    unseen = cross_val_predict(judge, features, labels, groups=groups, cv=GroupKFold(_FOLDS), method="decision_function")
    n_single = sum(not chat.labels.questions for chat in answerable)
    wrongly = np.sort(unseen[~labels])[::-1]
    limits = [round(float(wrongly[min(len(wrongly) - 1, int(share * n_single))]), 6) for share in (_WRONGLY_SPLIT, _WRONGLY_ASKED)]
    judge.fit(features, labels)
    scaler, model = judge[0], judge[1]
    weights = model.coef_[0] / scaler.scale_
    return QuestionSplitter(_plain(scaler.mean_), _plain(weights), round(float(model.intercept_[0]), 6), *limits)


def _plain(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
