<?php
/**
 * New comments: held when they come in, sent at once, and decided by the answer, or by WordPress when none came.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

add_filter( 'pre_comment_approved', __NAMESPACE__ . '\\hold_new', 99, 2 );
add_action( 'wp_insert_comment', __NAMESPACE__ . '\\note_new', 1, 2 );
// Before WordPress writes to moderators and authors, so that it does so knowing the decision.
add_action( 'comment_post', __NAMESPACE__ . '\\decide_new', 5 );
add_action( 'rest_after_insert_comment', __NAMESPACE__ . '\\decide_new_of_rest', 5, 3 );
add_filter( 'notify_moderator', __NAMESPACE__ . '\\quiet_while_waiting', 10, 2 );

/**
 * What WordPress wanted to do with the comment that this request is about to insert: 0 or 1, null when it is not ours.
 *
 * @param array|null $now  To set it: the verdict, whether the hidden field was filled, and the post's id.
 * @param bool       $drop To forget it.
 */
function wordpress_verdict( ?array $now = null, bool $drop = false ): ?array {
	static $verdict = null;
	if ( null !== $now || $drop ) {
		$verdict = $now;
	}
	return $verdict;
}

/**
 * Holds a reader's comment. What WordPress or another plugin puts into spam or trash or refuses stays so, and what
 * the staff write goes WordPress's own way.
 *
 * @param int|string|\WP_Error $approved What WordPress would do.
 * @param array                $data     The comment.
 * @return int|string|\WP_Error
 */
function hold_new( $approved, $data ) {
	wordpress_verdict( null, true );
	$ours = is_configured() && is_ours( (string) ( $data['comment_type'] ?? '' ) );
	if ( ! $ours || ! is_scalar( $approved ) || ! in_array( (string) $approved, array( '0', '1' ), true ) || is_by_staff( $data ) ) {
		return $approved;
	}
	wordpress_verdict(
		array(
			// Nobody may publish unseen what a program wrote, also when the service is down.
			'wordpress' => is_hidden_field_filled() ? 0 : (int) $approved,
			'trapped'   => is_hidden_field_filled() ? true : null,
			'post'      => (int) $data['comment_post_ID'],
		)
	);
	return 0;
}

/**
 * Whether the writer may moderate comments or wrote the article: those WordPress publishes without asking.
 *
 * @param array $data The comment.
 */
function is_by_staff( array $data ): bool {
	$user_id = (int) ( $data['user_id'] ?? $data['user_ID'] ?? 0 );
	$post    = get_post( (int) ( $data['comment_post_ID'] ?? 0 ) );
	return $user_id && ( user_can( $user_id, 'moderate_comments' ) || ( $post && (int) $post->post_author === $user_id ) );
}

/**
 * Notes with the comment that it is to be sent, before anything can go wrong: cron sends what this request does not.
 *
 * @param int         $id      The comment.
 * @param \WP_Comment $comment The same.
 */
function note_new( $id, $comment ): void {
	$verdict = wordpress_verdict();
	if ( null === $verdict || (int) $comment->comment_post_ID !== $verdict['post'] || '0' !== (string) $comment->comment_approved ) {
		return;
	}
	wordpress_verdict( null, true );
	keep(
		(int) $id,
		array(
			'wordpress' => $verdict['wordpress'],
			'trapped'   => $verdict['trapped'],
		)
	);
	set_todo( (int) $id, 'send' );
}

/**
 * Sends a new comment and applies what comes of it.
 *
 * @param int $id The comment.
 */
function decide_new( $id ): void {
	$comment = get_comment( (int) $id );
	if ( ! $comment || 'send' !== todo( (int) $id ) ) {
		return;
	}
	if ( is_resting() || ! send( $comment ) ) {
		fall_back( (int) $id );
	}
	if ( 'approved' === wp_get_comment_status( (int) $id ) ) {
		// Approving it has told the article's author already.
		add_filter(
			'notify_post_author',
			static function ( $notify, $comment_id ) use ( $id ) {
				return $notify && (int) $comment_id !== (int) $id;
			},
			10,
			2
		);
	}
}

/**
 * The same for a comment that came by WordPress's REST interface.
 *
 * @param \WP_Comment      $comment  The comment.
 * @param \WP_REST_Request $request  That brought it.
 * @param bool             $creating Whether it is new.
 */
function decide_new_of_rest( $comment, $request, $creating ): void {
	if ( $creating ) {
		decide_new( (int) $comment->comment_ID );
	}
}

/**
 * Sends one comment. False when the service could not be reached.
 *
 * @param \WP_Comment $comment The comment.
 */
function send( \WP_Comment $comment ): bool {
	$answer = call_service( 'POST', '/v1/comments', payload( $comment ), array( 'wait' => WAIT_SECONDS ) );
	if ( 404 === $answer['status'] && '' === $answer['error'] ) {
		$answer['error'] = __( 'There is no moderation service at this address.', 'comment-moderation' );
	}
	if ( ! went_well( $answer ) ) {
		return false;
	}
	take_answer( $comment, $answer['status'], $answer['body'] );
	return true;
}

/**
 * What the service said of one comment that was sent, alone or in a batch.
 *
 * @param \WP_Comment $comment The comment.
 * @param int         $status  200, 202, or that of an error.
 * @param array       $body    The comment as it stands there, or the error.
 */
function take_answer( \WP_Comment $comment, int $status, array $body ): void {
	alone(
		(int) $comment->comment_ID,
		static function () use ( $comment, $status, $body ) {
			note_answer( $comment, $status, $body );
		}
	);
	if ( isset( $body['decision'] ) ) {
		apply_decision( $comment, $body );
	}
}

/**
 * Notes with the comment what the service said, and what is to be done next.
 *
 * @param \WP_Comment $comment The comment as it was sent.
 * @param int         $status  As above.
 * @param array       $body    As above.
 */
function note_answer( \WP_Comment $comment, int $status, array $body ): void {
	$id     = (int) $comment->comment_ID;
	$record = record( $id );
	if ( isset( $body['id'], $body['revision'] ) ) {
		keep(
			$id,
			array(
				'id'       => (string) $body['id'],
				'revision' => (int) $body['revision'],
				'hash'     => text_hash( $comment ),
				'error'    => null,
			)
		);
		// A webhook may have been faster than the answer.
		$decided = isset( $record['decided_at'] ) && $record['revision'] >= $body['revision'];
		set_todo( $id, isset( $record['ruling'] ) ? 'change' : ( $decided ? '' : 'wait' ) );
	} elseif ( 'external_id_reused' === ( $body['code'] ?? '' ) && isset( $body['id'] ) ) {
		// It was sent before and edited since; the service has the old text.
		keep( $id, array( 'id' => (string) $body['id'] ) );
		set_todo( $id, 'change' );
	} else {
		// The service will never take it, say because it is too long: a person must look at it.
		keep( $id, array( 'error' => (string) ( $body['code'] ?? $status ) ) );
		set_todo( $id, '' );
	}
}

/**
 * Does with a comment what WordPress would have done without this plugin. It stays to be sent.
 *
 * @param int $id The comment.
 */
function fall_back( int $id ): void {
	alone(
		$id,
		static function () use ( $id ) {
			if ( 'send' !== todo( $id ) ) {
				return; // Only the answer was lost: a webhook has brought the decision meanwhile.
			}
			keep( $id, array( 'fallback' => time() ) );
			if ( 1 === ( record( $id )['wordpress'] ?? 0 ) && ! isset( record( $id )['ruling'] ) ) {
				set_status( $id, 'approved' );
			}
		}
	);
	catch_up_at( max( time(), health()['rest_until'] ) );
}

/**
 * No mail to moderators about a comment that the service is about to decide.
 *
 * @param bool $notify     Whether WordPress would write.
 * @param int  $comment_id The comment.
 */
function quiet_while_waiting( $notify, $comment_id ): bool {
	return $notify && 'wait' !== todo( (int) $comment_id );
}
